using Authorization.Access;
using FhirCore;

namespace FhirServer.Http;

/// <summary>
/// <c>X-Break-Glass</c>: a practitioner's reason to see what labels and consents hide from them, in an emergency. It opens nothing that
/// their roles and the app's scopes do not.
/// </summary>
internal static class BreakGlassHeader
{
    public const string Name = "X-Break-Glass";
    private const int Shortest = 3;
    private const int Longest = 255;

    /// <returns>Null where there is none.</returns>
    public static Outcome<string?> Read(IHeaderDictionary headers, Grant grant)
    {
        if (!headers.TryGetValue(Name, out var values) || values.Count == 0)
        {
            return (string?)null;
        }
        if (!grant.MayBreakGlass)
        {
            return FhirFailure.Of(FailureKind.Forbidden, $"{Name} is for practitioners who have signed in.");
        }
        var reason = values.ToString().Trim();
        return reason.Length is < Shortest or > Longest || reason.AsSpan().ContainsAnyExceptInRange(' ', '~')
            ? FhirFailure.Of(FailureKind.Invalid, $"{Name} says why, in {Shortest} to {Longest} printable ASCII characters.", code: "value")
            : reason;
    }
}
