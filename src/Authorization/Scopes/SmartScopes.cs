using System.Collections.Immutable;

namespace Authorization.Scopes;

/// <summary>Lists of scopes: what a token says, what a client may have, and what it gets of what it asked for.</summary>
public static class SmartScopes
{
    private const string Advice = "A backend client uses system scopes (system/Patient.rs, system/*.cruds), an app patient/ and user/ ones, openid, fhirUser, launch, launch/patient, offline_access and online_access.";

    /// <summary>The resource scopes in a space-separated list; whatever is none is left out.</summary>
    public static ImmutableArray<SmartScope> Parse(string? text)
    {
        var scopes = ImmutableArray.CreateBuilder<SmartScope>();
        foreach (var part in Split(text))
        {
            if (SmartScope.TryParse(part, out var scope))
            {
                scopes.Add(scope);
            }
        }
        return scopes.ToImmutable();
    }

    /// <summary>The scopes of a registration: unlike a client's request, one that cannot be granted is an error.</summary>
    /// <param name="error">Names the scope and says what is wrong with it.</param>
    public static bool TryParseRegistration(string? text, out RegisteredScopes scopes, out string? error)
    {
        var resources = ImmutableArray.CreateBuilder<SmartScope>();
        var signIn = ImmutableArray.CreateBuilder<string>();
        error = null;
        foreach (var part in Split(text).Distinct(StringComparer.Ordinal))
        {
            if (SignInScopes.All.Contains(part))
            {
                signIn.Add(part);
            }
            else if (SmartScope.TryParse(part, out var scope))
            {
                resources.Add(scope);
            }
            else
            {
                error = $"'{part}' is not a SMART scope of an R4 resource type (letters in the order c, r, u, d, s). {Advice}";
            }
        }
        if (error is null && resources.Count == 0 && signIn.Count == 0)
        {
            error = $"At least one scope is needed. {Advice}";
        }
        scopes = new(resources.ToImmutable(), signIn.ToImmutable());
        return error is null;
    }

    /// <summary>What a client that acts for itself gets: system scopes.</summary>
    /// <returns>Empty where nothing can be granted.</returns>
    public static ImmutableArray<SmartScope> Negotiate(string? requested, IEnumerable<SmartScope> registered) =>
        Negotiate(requested, registered, ScopeLevel.System);

    /// <summary>
    /// What a client gets: everything it asked for at these levels that its registration covers, no more. What it asked for whole and is
    /// registered for in part, it gets in part; the token response tells the client what it got.
    /// </summary>
    /// <returns>Empty where nothing can be granted.</returns>
    public static ImmutableArray<SmartScope> Negotiate(string? requested, IEnumerable<SmartScope> registered, params ReadOnlySpan<ScopeLevel> levels)
    {
        var rights = new RegisteredRights(registered);
        var granted = ImmutableArray.CreateBuilder<SmartScope>();
        var seen = new HashSet<SmartScope>();
        foreach (var asked in Parse(requested))
        {
            if (levels.Contains(asked.Level))
            {
                foreach (var scope in rights.Of(asked))
                {
                    if (scope.Permissions != Permissions.None && seen.Add(scope))
                    {
                        granted.Add(scope);
                    }
                }
            }
        }
        return granted.ToImmutable();
    }

    public static string Join(IEnumerable<SmartScope> scopes) => string.Join(' ', scopes);

    private static string[] Split(string? text) =>
        text?.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}
