using System.Collections.Immutable;

namespace Authorization.Scopes;

/// <summary>Lists of scopes: what a token says, what a client may have, and what it gets of what it asked for.</summary>
public static class SmartScopes
{
    private const string ClientCredentialsAdvice = "A backend client uses system scopes: system/Patient.rs, system/*.cruds, system/Appointment.read.";

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

    /// <summary>The scopes of a registration: unlike a client's request, one that cannot be enforced is an error.</summary>
    /// <param name="error">Names the scope and says what is wrong with it.</param>
    public static bool TryParseRegistration(string? text, out ImmutableArray<SmartScope> scopes, out string? error)
    {
        var builder = ImmutableArray.CreateBuilder<SmartScope>();
        error = null;
        foreach (var part in Split(text))
        {
            if (!SmartScope.TryParse(part, out var scope))
            {
                error = $"'{part}' is not a SMART scope of an R4 resource type (letters in the order c, r, u, d, s). {ClientCredentialsAdvice}";
            }
            else if (scope.Level != ScopeLevel.System)
            {
                error = $"'{part}' is not supported yet: only system/ scopes are. {ClientCredentialsAdvice}";
            }
            else if (scope.Filter is not null)
            {
                error = $"'{part}' is not supported yet: a scope cannot be narrowed by search parameters. {ClientCredentialsAdvice}";
            }
            else
            {
                builder.Add(scope);
            }
        }
        if (error is null && builder.Count == 0)
        {
            error = $"At least one scope is needed. {ClientCredentialsAdvice}";
        }
        scopes = builder.ToImmutable();
        return error is null;
    }

    /// <summary>
    /// What a client gets: everything it asked for that its registration covers, no more. A scope that this server cannot
    /// enforce (patient/, user/, granular, unknown) is not granted; the token response tells the client what it got.
    /// </summary>
    /// <returns>Empty where nothing can be granted.</returns>
    public static ImmutableArray<SmartScope> Negotiate(string? requested, IEnumerable<SmartScope> registered)
    {
        var rights = PermissionsByType.Of(registered);
        var granted = ImmutableArray.CreateBuilder<SmartScope>();
        var seen = new HashSet<SmartScope>();
        foreach (var asked in Parse(requested))
        {
            if (asked.Level != ScopeLevel.System || asked.Filter is not null)
            {
                continue;
            }
            var whole = asked.Permissions & rights.Of(asked.Type);
            Add(asked.With(asked.Type, whole));
            if (asked.Type == SmartScope.AnyType)
            {
                foreach (var type in rights.NamedTypes)
                {
                    var more = asked.Permissions & rights.Of(type);
                    if (more != whole)
                    {
                        Add(asked.With(type, more));
                    }
                }
            }
        }
        return granted.ToImmutable();

        void Add(SmartScope scope)
        {
            if (scope.Permissions != Permissions.None && seen.Add(scope))
            {
                granted.Add(scope);
            }
        }
    }

    public static string Join(IEnumerable<SmartScope> scopes) => string.Join(' ', scopes);

    private static string[] Split(string? text) =>
        text?.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}
