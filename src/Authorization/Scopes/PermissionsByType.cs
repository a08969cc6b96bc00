namespace Authorization.Scopes;

/// <summary>The union of a list of system scopes, ready to be asked by type.</summary>
internal sealed class PermissionsByType
{
    private readonly Dictionary<string, Permissions> _named = new(StringComparer.Ordinal);

    private PermissionsByType()
    {
    }

    /// <summary>What holds for every type, also those that come later.</summary>
    public Permissions Everywhere { get; private set; }

    public IEnumerable<string> NamedTypes => _named.Keys;

    public static PermissionsByType Of(IEnumerable<SmartScope> scopes)
    {
        var result = new PermissionsByType();
        foreach (var scope in scopes)
        {
            if (scope.Level != ScopeLevel.System || scope.Filter is not null)
            {
                continue; // cannot be enforced, so it gives nothing
            }
            if (scope.Type == SmartScope.AnyType)
            {
                result.Everywhere |= scope.Permissions;
            }
            else
            {
                result._named[scope.Type] = result._named.GetValueOrDefault(scope.Type) | scope.Permissions;
            }
        }
        return result;
    }

    /// <param name="type"><see cref="SmartScope.AnyType"/> asks for what holds everywhere.</param>
    public Permissions Of(string type) => Everywhere | _named.GetValueOrDefault(type);
}
