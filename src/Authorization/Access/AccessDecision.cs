using Authorization.Scopes;
using Authorization.Tokens;
using FhirCore;

namespace Authorization.Access;

/// <summary>
/// The first half of the one decision: whether a request or a Bundle entry may concern its type at all. Which resources of the type it
/// then concerns, <see cref="Callers"/> say, and the store asks them of each that leaves or is written.
/// Metadata, discovery, health and <c>$versions</c> are public and never get here; everything else asks.
/// </summary>
public static class AccessDecision
{
    /// <param name="type">The resource type; null for the whole system.</param>
    /// <param name="operation">Name of an <see cref="Interaction.Operation"/>, with or without its dollar sign.</param>
    /// <returns>Null when allowed.</returns>
    public static FhirFailure? Decide(Grant grant, Interaction interaction, string? type, string? operation = null)
    {
        ArgumentNullException.ThrowIfNull(grant);
        if (interaction == Interaction.Operation)
        {
            ArgumentException.ThrowIfNullOrEmpty(operation);
            return DecideOperation(grant, operation.TrimStart('$'));
        }
        var needed = Needed(interaction);
        return grant.Allows(needed, type) ? null : Refuse(grant, Words(interaction), type, needed);
    }

    /// <summary>True where a request needs no token at all: an operation about the server itself.</summary>
    /// <param name="operation">With or without its dollar sign.</param>
    public static bool IsPublicOperation(string operation) => OperationRules.Of(operation.TrimStart('$')) is { Public: true };

    /// <summary>
    /// The letters an interaction needs. A conditional interaction tells whether something matches, so it needs search too.
    /// </summary>
    internal static Permissions Needed(Interaction interaction) => interaction switch
    {
        Interaction.Read or Interaction.VRead or Interaction.HistoryInstance => Permissions.Read,
        Interaction.HistoryType or Interaction.HistorySystem or Interaction.SearchType or Interaction.SearchSystem => Permissions.Search,
        Interaction.Create => Permissions.Create,
        Interaction.ConditionalCreate => Permissions.Create | Permissions.Search,
        Interaction.Update or Interaction.Patch => Permissions.Update,
        Interaction.ConditionalUpdate or Interaction.ConditionalPatch => Permissions.Update | Permissions.Search,
        Interaction.Delete => Permissions.Delete,
        Interaction.ConditionalDelete => Permissions.Delete | Permissions.Search,
        Interaction.Bundle => Permissions.None,
        _ => throw new ArgumentOutOfRangeException(nameof(interaction), interaction, "Say here which permissions it needs."),
    };

    private static FhirFailure? DecideOperation(Grant grant, string name)
    {
        if (OperationRules.Of(name) is not { } rule)
        {
            return FhirFailure.Of(FailureKind.Forbidden, $"No scope allows the operation ${name}.", detail: BearerChallenge.InsufficientScope);
        }
        foreach (var (type, needed) in rule.Needs)
        {
            if (!grant.Allows(needed, type))
            {
                return Refuse(grant, $"call ${name}, which works on", type, needed);
            }
        }
        return rule.Roles.IsEmpty || grant.User is not { } user ? null
            : !user.Roles.Any(held => rule.Roles.Contains(held.Role))
                ? FhirFailure.Of(FailureKind.Forbidden, $"The operation ${name} is for users who are {string.Join(" or ", rule.Roles.Select(role => role.ToString().ToLowerInvariant()))}.")
            : !rule.Needs.All(need => grant.Scopes.Any(scope => scope.Level == ScopeLevel.User && (scope.Permissions & need.Needed) == need.Needed && (scope.Type == need.Type || scope.Type == SmartScope.AnyType)))
                ? FhirFailure.Of(FailureKind.Forbidden, $"The operation ${name} is for apps that act for a user: it needs scopes that begin with user/.", detail: BearerChallenge.InsufficientScope)
            : null;
    }

    private static FhirFailure Refuse(Grant grant, string action, string? type, Permissions needed) => FhirFailure.Of(
        FailureKind.Forbidden,
        $"The token does not allow to {action} {type ?? "all resource types"}: it needs a scope such as {LevelOf(grant)}/{type ?? SmartScope.AnyType}.{SmartScope.LettersOf(needed)}{(grant.User is null ? "." : ", and a user who may do so.")}",
        detail: BearerChallenge.InsufficientScope);

    private static string LevelOf(Grant grant) => grant switch
    {
        { User: null } => "system",
        { Launch.Patient: not null } => "patient",
        _ => "user",
    };

    private static string Words(Interaction interaction) => interaction switch
    {
        Interaction.Read or Interaction.VRead => "read",
        Interaction.HistoryInstance or Interaction.HistoryType or Interaction.HistorySystem => "see the history of",
        Interaction.SearchType or Interaction.SearchSystem => "search",
        Interaction.Create => "create",
        Interaction.ConditionalCreate => "create by condition",
        Interaction.Update or Interaction.Patch => "update",
        Interaction.ConditionalUpdate or Interaction.ConditionalPatch => "update by condition",
        Interaction.Delete => "delete",
        _ => "delete by condition",
    };
}
