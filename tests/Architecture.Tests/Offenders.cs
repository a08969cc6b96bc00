namespace Architecture.Tests;

internal static class Offenders
{
    /// <summary>Fails with the whole list, so that one run shows everything to mend.</summary>
    public static void None(IEnumerable<string> found)
    {
        var all = found.ToArray();
        Assert.True(all.Length == 0, string.Join(Environment.NewLine, all));
    }
}
