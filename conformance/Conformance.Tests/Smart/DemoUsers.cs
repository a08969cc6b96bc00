using System.Text.RegularExpressions;

namespace Conformance.Tests.Smart;

/// <param name="FhirUser"><c>Patient/123</c>; null where they are linked to none.</param>
public sealed record DemoUser(string UserName, string Password, string? FhirUser);

/// <summary>The people of the demo clinic, as the server's first start prints them: once.</summary>
public static partial class DemoUsers
{
    /// <returns>By role: <c>patient</c>, <c>practitioner</c>, …</returns>
    public static async Task<IReadOnlyDictionary<string, DemoUser>> OfAsync(RunningServer server, CancellationToken ct)
    {
        while (!server.Output.Contains("Ready.", StringComparison.Ordinal))
        {
            Assert.False(server.HasExited, server.Output);
            await Task.Delay(50, ct);
        }
        return UserLine().Matches(server.Output).ToDictionary(
            line => line.Groups["role"].Value,
            line => new DemoUser(line.Groups["name"].Value, line.Groups["password"].Value, line.Groups["user"] is { Success: true } user ? user.Value : null),
            StringComparer.Ordinal);
    }

    [GeneratedRegex(@"^ +(?<name>\S+) +(?<password>\S+) +\((?<role>[a-z]+)(, (?<user>\S+))?\)\r?$", RegexOptions.Multiline)]
    private static partial Regex UserLine();
}
