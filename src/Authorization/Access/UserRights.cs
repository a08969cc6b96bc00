using System.Collections.Immutable;
using Authorization.Scopes;
using FhirStore.Access;

namespace Authorization.Access;

/// <summary>What holds at the moment of a request beside the grant itself.</summary>
/// <param name="BreakGlass">A practitioner has said why they must see what is hidden from them.</param>
/// <param name="Denying">By type: ids of the Patients whose consents hide resources of the type from this user.</param>
internal readonly record struct Circumstances(bool BreakGlass, Func<string, ImmutableSortedSet<string>> Denying)
{
    public static Circumstances Plain { get; } = new(false, static _ => []);
}

/// <summary>What a person may do, whatever app they use: roles, narrowed by their own compartment, by organization, by labels and by consents.</summary>
internal static class UserRights
{
    private static readonly ResourceCondition NotVeryRestricted = new ResourceCondition.NotLabelled(["V"]);
    private static readonly ResourceCondition NotRestricted = new ResourceCondition.NotLabelled(["R", "V"]);

    /// <summary>System of the tag that says whose a resource is, where it is somebody's own; the server sets it.</summary>
    public const string OwnerTag = "urn:fhir-server:subscriber";

    /// <param name="owner"><see cref="Grant.OwnerCode"/>.</param>
    /// <param name="needed">One permission.</param>
    public static ResourceCondition Of(GrantedUser user, string owner, string type, Permissions needed, in Circumstances now)
    {
        var alternatives = new List<ResourceCondition>();
        foreach (var held in user.Roles)
        {
            if ((RoleRights.Of(held.Role, type) & needed) != needed)
            {
                continue;
            }
            if (RoleRights.IsOwn(type))
            {
                alternatives.Add(new ResourceCondition.Parameter("_tag", $"{OwnerTag}|{owner}"));
                continue;
            }
            if (held.Role == Role.Patient && !RoleRights.IsDirectory(type))
            {
                if (user.FhirUser is { Type: "Patient" } self)
                {
                    alternatives.Add(new ResourceCondition.InCompartment(self.Id));
                }
                continue;
            }
            alternatives.Add(ResourceCondition.All(AtOrganization(held, type, needed), Unlabelled(held.Role, type, now), NotDenied(type, now)));
        }
        return ResourceCondition.Any(alternatives);
    }

    /// <summary>The directory is for everyone in the house to read; only who writes it stays within their organization.</summary>
    private static ResourceCondition AtOrganization(HeldRole held, string type, Permissions needed) =>
        held.Organization is not { } organization || (RoleRights.IsDirectory(type) && needed is Permissions.Read or Permissions.Search)
            ? ResourceCondition.Everything
            : type switch
            {
                "Patient" or "PractitionerRole" or "Location" or "HealthcareService" or "EpisodeOfCare" or "Device" or "Endpoint" =>
                    new ResourceCondition.Parameter("organization", $"Organization/{organization}"),
                "Encounter" => new ResourceCondition.Parameter("service-provider", $"Organization/{organization}"),
                "Organization" => new ResourceCondition.Parameter("_id", organization),
                _ => ResourceCondition.Everything, // names no organization
            };

    // Slots say when, not who: they are read a thousand times for each one booked, straight from what is kept at hand.
    private static ResourceCondition Unlabelled(Role role, string type, in Circumstances now) => (role, type) switch
    {
        (_, "Slot") => ResourceCondition.Everything,
        (Role.Practitioner, _) => now.BreakGlass ? ResourceCondition.Everything : NotVeryRestricted,
        _ => NotRestricted,
    };

    private static ResourceCondition NotDenied(string type, in Circumstances now)
    {
        if (RoleRights.IsDirectory(type) || !RestrictionCompiler.IsInCompartment(type))
        {
            return ResourceCondition.Everything;
        }
        var patients = now.Denying(type);
        return patients.IsEmpty ? ResourceCondition.Everything : new ResourceCondition.OutsideCompartments(patients);
    }
}
