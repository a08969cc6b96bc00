namespace Tests.Shared;

/// <summary>The engine that the servers of this test project run on: the embedded one, which needs nothing.</summary>
internal static class EngineUnderTest
{
    public static bool IsThere => true;

    public static IReadOnlyList<KeyValuePair<string, string>> Settings() => [];

    public static ValueTask DropAsync() => default;

    /// <summary>Skips the test where the engine is not to be had.</summary>
    public static void SkipIfAbsent()
    {
    }
}
