namespace Tests.Shared;

/// <summary>The engine that a server of this test project runs on: the embedded one, which needs nothing.</summary>
internal sealed class EngineUnderTest
{
    /// <summary>Whether history has a body of its own of the current version too, which damage to the current row leaves whole.</summary>
    public static bool HasBodiesOfItsOwnInHistory => false;

    /// <summary>Whether the server offers the channel type kafka.</summary>
    public static bool HasKafka => false;

    public static bool IsThere => true;

    #pragma warning disable CA1822 // as the other engine's
    public IReadOnlyList<KeyValuePair<string, string>> Settings() => [];

    public ValueTask DropAsync() => default;
#pragma warning restore CA1822

    /// <summary>Skips the test where the engine is not to be had.</summary>
    public static void SkipIfAbsent()
    {
    }
}
