using System.Collections.Immutable;
using FhirCore;

namespace Forecasting.Serving;

/// <summary>Whose figures a caller may see, beside being allowed to read the resource they are of.</summary>
/// <param name="Everything">Of the whole house.</param>
/// <param name="Organizations">Ids of the organizations whose figures are theirs.</param>
/// <param name="Practitioner">Id of the Practitioner they are: their own figures are theirs.</param>
public sealed record FiguresReach(bool Everything, ImmutableArray<string> Organizations, string? Practitioner)
{
    public static FiguresReach All { get; } = new(true, [], null);
}

/// <summary>Asks of a resource whether its figures are within reach.</summary>
internal sealed class FiguresAccess(LoadDirectory directory)
{
    public async ValueTask<bool> AdmitsAsync(FiguresReach reach, Entry entry, CancellationToken ct) => reach.Everything || entry.Key.Type switch
    {
        "Practitioner" => entry.Key.Id == reach.Practitioner || await WorksAtAsync(reach, entry.Key.Id, ct),
        "Location" => IsOf(reach, directory.Target(entry, "managingOrganization")),
        "HealthcareService" => IsOf(reach, directory.Target(entry, "providedBy")),
        "Schedule" => await AdmitsScheduleAsync(reach, entry, ct),
        _ => false,
    };

    private static bool IsOf(FiguresReach reach, ResourceKey? organization) => organization is { Type: "Organization" } key && reach.Organizations.Contains(key.Id);

    private async ValueTask<bool> WorksAtAsync(FiguresReach reach, string practitioner, CancellationToken ct) =>
        !reach.Organizations.IsEmpty && (await directory.RolesAsync(practitioner, ct)).Exists(role => IsOf(reach, directory.Target(role, "organization")));

    /// <summary>A schedule is its actors': the practitioner's whose it is, the house's whose room it is.</summary>
    private async ValueTask<bool> AdmitsScheduleAsync(FiguresReach reach, Entry schedule, CancellationToken ct)
    {
        foreach (var actor in directory.Actors(schedule))
        {
            if (actor == Own(reach))
            {
                return true;
            }
            if (actor.Type is "PractitionerRole" && await directory.ReadAsync(actor, ct) is { } role
                && (IsOf(reach, directory.Target(role, "organization")) || (reach.Practitioner is not null && directory.Target(role, "practitioner") == Own(reach))))
            {
                return true;
            }
            if (actor.Type is "Location" or "HealthcareService" or "Practitioner" && !reach.Organizations.IsEmpty
                && await directory.ReadAsync(actor, ct) is { } entry && await AdmitsAsync(reach with { Practitioner = null }, entry, ct))
            {
                return true;
            }
        }
        return false;
    }

    private static ResourceKey? Own(FiguresReach reach) => reach.Practitioner is { } id ? new ResourceKey("Practitioner", id) : null;
}
