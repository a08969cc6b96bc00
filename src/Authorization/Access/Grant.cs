using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Authorization.Scopes;
using FhirStore.Access;
using FhirStore.Search;

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
        // A user's token has no rights of the system, whatever its scopes say.
        _permissions = PermissionsByType.Of(user is null ? scopes : []);
    }

    public string ClientId { get; }

    public ImmutableArray<SmartScope> Scopes { get; }

    public GrantedUser? User { get; }

    /// <summary>Null where nothing was in view.</summary>
    public LaunchContext? Launch { get; }

    /// <summary>Id of what the user agreed to; null where nobody was asked.</summary>
    public string? Agreement { get; init; }

    /// <summary>The user agreed to access while they are away (<c>offline_access</c>).</summary>
    public bool WhileAway { get; init; }

    /// <summary>Everything may be done with every resource: no resource needs to be looked at.</summary>
    public bool IsUnlimited => _permissions.Everywhere == Permissions.All;

    /// <summary>Whose holds and idempotency keys are whose: users of one app are different callers.</summary>
    public string Owner => User is null ? ClientId : $"{ClientId}\n{User.AccountId}";

    /// <summary><see cref="Owner"/> as a code that tells nothing: what belongs to who made it is marked with it.</summary>
    public string OwnerCode => field ??= Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Owner)).AsSpan(0, 16));

    /// <summary>A practitioner may say why they must see what labels and consents hide from them.</summary>
    public bool MayBreakGlass => User is { } user && user.Roles.Any(held => held.Role == Role.Practitioner);

    /// <summary>As plain data, for what is done in its bearer's name later; <see cref="KeptGrants"/> say what of it stands then.</summary>
    public KeptGrant Keep() => new()
    {
        ClientId = ClientId,
        Scopes = [.. Scopes.Select(scope => scope.ToString())],
        Account = User?.AccountId,
        Patient = Launch?.Patient,
        Encounter = Launch?.Encounter,
        Agreement = Agreement,
        WhileAway = WhileAway,
        Owner = OwnerCode,
    };

    /// <summary>Every system scope.</summary>
    public static Grant Everything(string clientId) =>
        new(clientId, [new SmartScope(ScopeLevel.System, SmartScope.AnyType, Permissions.All)]);

    /// <summary>True where some resource of the type may be within reach: which, <see cref="Callers"/> tell.</summary>
    /// <param name="type">Null asks for the permission on every resource of every type.</param>
    public bool Allows(Permissions needed, string? type)
    {
        var whole = _permissions.Of(type ?? SmartScope.AnyType);
        if ((whole & needed) == needed)
        {
            return true;
        }
        if (type is null)
        {
            return false;
        }
        for (var left = (int)(needed & ~whole); left != 0; left &= left - 1)
        {
            if (Reach((Permissions)(left & -left), type, Circumstances.Plain).IsNothing)
            {
                return false;
            }
        }
        return true;
    }

    /// <param name="type">Null for an interaction of the whole system.</param>
    public bool Allows(Interaction interaction, string? type) => Allows(AccessDecision.Needed(interaction), type);

    /// <summary>Scopes ∩ the user's rights ∩ compartment ∩ consents, of one permission on one type.</summary>
    internal ResourceCondition Reach(Permissions needed, string type, in Circumstances now)
    {
        if ((_permissions.Of(type) & needed) == needed)
        {
            return ResourceCondition.Everything;
        }
        var rights = User is null ? ResourceCondition.Nothing : UserRights.Of(User, OwnerCode, type, needed, now);
        var alternatives = new List<ResourceCondition>();
        foreach (var scope in Scopes)
        {
            if ((scope.Permissions & needed) == needed && (scope.Type == type || scope.Type == SmartScope.AnyType))
            {
                alternatives.Add(ResourceCondition.All(FilterOf(scope), scope.Level switch
                {
                    ScopeLevel.System => User is null ? ResourceCondition.Everything : ResourceCondition.Nothing,
                    ScopeLevel.User => rights,
                    ScopeLevel.Patient => ResourceCondition.All(InLaunch(type), rights),
                    _ => throw new ArgumentOutOfRangeException(nameof(type), scope.Level, "Say here what the new level reaches."),
                }));
            }
        }
        return ResourceCondition.Any(alternatives);
    }

    /// <summary>What may be named by what the caller writes, whether or not the app may read it: a person's own rights, and the patient in view.</summary>
    internal ResourceCondition ReachOfNames(string type, in Circumstances now)
    {
        if (User is not { } user)
        {
            return ResourceCondition.Everything; // a client of its own names what it likes, as it always did
        }
        var rights = UserRights.Of(user, OwnerCode, type, Permissions.Read, now);
        return Scopes.Any(scope => scope.Level == ScopeLevel.User) ? rights : ResourceCondition.All(InLaunch(type), rights);
    }

    private ResourceCondition InLaunch(string type) =>
        Launch?.Patient is not { } patient ? ResourceCondition.Nothing
        : RoleRights.IsDirectory(type) || RoleRights.IsOwn(type) ? ResourceCondition.Everything
        : RestrictionCompiler.IsInCompartment(type) ? new ResourceCondition.InCompartment(patient)
        : ResourceCondition.Nothing;

    private static ResourceCondition FilterOf(in SmartScope scope) => scope.Filter is not { } filter
        ? ResourceCondition.Everything
        : QueryText.Parse(filter) is { IsEmpty: false } parameters
            ? ResourceCondition.All(parameters.Select(p => new ResourceCondition.Parameter(p.Key, p.Value)))
            : ResourceCondition.Nothing;

    /// <summary>A resource that leaves because another one refers to it: <c>_include</c>, a resolved reference.</summary>
    public bool MayRead(string type) => Allows(Permissions.Read, type);

    /// <summary>A resource that is looked through: <c>_revinclude</c>, a chain, <c>_has</c>. What it reveals by counting counts too.</summary>
    public bool MaySearch(string type) => Allows(Permissions.Search, type);
}
