using System.Collections.Immutable;
using Authorization.Scopes;

namespace Authorization.Access;

/// <summary>What the bearer of a verified token may do. Immutable; one instance serves every request of its token.</summary>
public sealed class Grant
{
    private readonly PermissionsByType _permissions;

    /// <param name="clientId">The client the token was given to.</param>
    /// <param name="user">Null where the client acts for itself.</param>
    public Grant(string clientId, ImmutableArray<SmartScope> scopes, GrantedUser? user = null, LaunchContext? launch = null)
    {
        ClientId = clientId;
        Scopes = scopes;
        User = user;
        Launch = launch;
        _permissions = PermissionsByType.Of(scopes);
    }

    public string ClientId { get; }

    public ImmutableArray<SmartScope> Scopes { get; }

    public GrantedUser? User { get; }

    /// <summary>Null where nothing was in view.</summary>
    public LaunchContext? Launch { get; }

    /// <summary>Every system scope.</summary>
    public static Grant Everything(string clientId) =>
        new(clientId, [new SmartScope(ScopeLevel.System, SmartScope.AnyType, Permissions.All)]);

    /// <param name="type">Null asks for the permission on every type.</param>
    public bool Allows(Permissions needed, string? type) =>
        (_permissions.Of(type ?? SmartScope.AnyType) & needed) == needed;

    /// <param name="type">Null for an interaction of the whole system.</param>
    public bool Allows(Interaction interaction, string? type) => Allows(AccessDecision.Needed(interaction), type);

    /// <summary>A resource that leaves because another one refers to it: <c>_include</c>, a resolved reference.</summary>
    public bool MayRead(string type) => Allows(Permissions.Read, type);

    /// <summary>A resource that is looked through: <c>_revinclude</c>, a chain, <c>_has</c>. What it reveals by counting counts too.</summary>
    public bool MaySearch(string type) => Allows(Permissions.Search, type);
}
