using System.Collections.Immutable;

namespace Authorization.Access;

/// <summary>Whose figures (load, capacity) a grant reaches, once the operation itself is allowed.</summary>
/// <param name="Everything">Of the whole house.</param>
/// <param name="Organizations">Ids of the organizations that its user manages.</param>
/// <param name="Practitioner">Id of the Practitioner that its user is.</param>
public sealed record Figures(bool Everything, ImmutableArray<string> Organizations, string? Practitioner)
{
    public static Figures Of(Grant grant)
    {
        ArgumentNullException.ThrowIfNull(grant);
        if (grant.User is not { } user)
        {
            return new(true, [], null); // a client of its own: its scopes say all
        }
        var managed = user.Roles.Where(held => held.Role == Role.Manager).ToList();
        return new(
            managed.Exists(held => held.Organization is null), [.. managed.Select(held => held.Organization).OfType<string>()],
            user.FhirUser is { Type: "Practitioner" } self && user.Roles.Any(held => held.Role == Role.Practitioner) ? self.Id : null);
    }
}
