using System.Collections.Immutable;

namespace Authorization.Scopes;

/// <summary>The most a client may be granted.</summary>
/// <param name="SignIn">Some of <see cref="SignInScopes.All"/>.</param>
public sealed record RegisteredScopes(ImmutableArray<SmartScope> Resources, ImmutableArray<string> SignIn)
{
    public bool AtLevel(ScopeLevel level) => Resources.Any(scope => scope.Level == level);

    public override string ToString() => string.Join(' ', SignIn.Concat(Resources.Select(static scope => scope.ToString())));
}

/// <summary>A registration, ready to be asked what it leaves of a scope.</summary>
internal sealed class RegisteredRights
{
    private readonly Dictionary<(ScopeLevel Level, string Type), Permissions> _whole = [];
    private readonly List<SmartScope> _filtered = [];

    public RegisteredRights(IEnumerable<SmartScope> registered)
    {
        foreach (var scope in registered)
        {
            if (scope.Filter is not null)
            {
                _filtered.Add(scope);
            }
            else
            {
                var key = (scope.Level, scope.Type);
                _whole[key] = _whole.GetValueOrDefault(key) | scope.Permissions;
            }
        }
    }

    /// <returns>May hold scopes without permissions.</returns>
    public IEnumerable<SmartScope> Of(SmartScope asked)
    {
        var whole = Whole(asked.Level, asked.Type);
        yield return asked.With(asked.Type, asked.Permissions & whole);
        if (asked.Type == SmartScope.AnyType && asked.Filter is null)
        {
            foreach (var (level, type) in _whole.Keys)
            {
                if (level == asked.Level && (asked.Permissions & Whole(level, type)) != (asked.Permissions & whole))
                {
                    yield return asked.With(type, asked.Permissions & Whole(level, type));
                }
            }
        }
        foreach (var part in _filtered)
        {
            // A filter is compared as it is written: two that mean the same and differ in writing are granted nothing rather than too much.
            var covers = part.Level == asked.Level
                && (part.Type == asked.Type || part.Type == SmartScope.AnyType || (asked.Type == SmartScope.AnyType && asked.Filter is null))
                && (asked.Filter is null || asked.Filter == part.Filter);
            if (covers && (asked.Permissions & part.Permissions & ~Whole(part.Level, part.Type)) != Permissions.None)
            {
                yield return asked with
                {
                    Type = part.Type == SmartScope.AnyType ? asked.Type : part.Type,
                    Permissions = asked.Permissions & part.Permissions,
                    IsV1 = false, // v1 has no way to write a filter
                    Filter = part.Filter,
                };
            }
        }
    }

    private Permissions Whole(ScopeLevel level, string type) =>
        _whole.GetValueOrDefault((level, SmartScope.AnyType)) | (type == SmartScope.AnyType ? Permissions.None : _whole.GetValueOrDefault((level, type)));
}
