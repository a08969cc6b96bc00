using System.Text.Json;
using Authorization.Access;
using Authorization.Clients;
using Authorization.Launch;
using Authorization.Scopes;
using Authorization.Stores;
using Authorization.Tokens;
using FhirCore;
using FhirStore;
using FhirStore.Sealed;
using FhirStore.Search;

namespace Authorization.AppState;

/// <summary>
/// Which states an app may see and change: docs/decisions/0113. A scope for <c>Basic</c> gives the letter; its <c>code=</c> filter, or
/// where it has none the app's own origins, say which codes; its level and its person say whose.
/// </summary>
public sealed class StateAccess(SealedRecords<OAuthApplication> applications, ApplicationIndex index, IPatientDirectory patients, ResourceStore store)
{
    private const string Type = "Basic";

    /// <returns>Null when allowed.</returns>
    public async ValueTask<FhirFailure?> CheckAsync(Grant grant, Permissions needed, StateKey key, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(grant);
        ArgumentNullException.ThrowIfNull(key);
        foreach (var scope in grant.Scopes)
        {
            if ((scope.Permissions & needed) == needed && scope.Type is Type or SmartScope.AnyType
                && await IsCodeAsync(grant, scope, key, ct) && await IsSubjectAsync(grant, scope.Level, needed, key.Subject, ct))
            {
                return null;
            }
        }
        return FhirFailure.Of(
            FailureKind.Forbidden, $"The token does not allow that for app states of this code and subject: it needs a scope such as user/Basic.{SmartScope.LettersOf(needed)}, for codes of the app's own origin or with ?code=.",
            detail: BearerChallenge.InsufficientScope);
    }

    private async ValueTask<bool> IsCodeAsync(Grant grant, SmartScope scope, StateKey key, CancellationToken ct)
    {
        if (scope.Filter is { } filter)
        {
            return QueryText.Parse(filter) is [{ Key: "code" } only] && only.Value == key.Token;
        }
        return Uri.TryCreate(key.System, UriKind.Absolute, out var system) && system.Scheme is "https" or "http"
            && (await applications.FirstAsync(index.ClientId(grant.ClientId), ct))?.Value is { } application && ClientSettings.OriginsOf(application).Contains(system.GetLeftPart(UriPartial.Authority));
    }

    private async ValueTask<bool> IsSubjectAsync(Grant grant, ScopeLevel level, Permissions needed, ResourceKey? subject, CancellationToken ct)
    {
        if (level == ScopeLevel.System)
        {
            return grant.User is null && (subject is not { } named || await store.ReadAsync(named, ct) is { Deleted: false });
        }
        if (grant.User is not { } user)
        {
            return false;
        }
        if (level == ScopeLevel.Patient)
        {
            return subject is { Type: "Patient" } patient && grant.Launch?.Patient == patient.Id && await MayReadAsync(grant, user, patient.Id, ct);
        }
        return subject switch
        {
            // For the whole app: everybody's to look at, an administrator's to set.
            null => needed is Permissions.Search or Permissions.Read || user.Roles.Any(static held => held.Role == Role.Administrator),
            { } whose when whose == user.FhirUser => true,
            { Type: "Patient" } whose => await MayReadAsync(grant, user, whose.Id, ct),
            { Type: "PractitionerRole" } whose => await IsTheirsAsync(whose, user, ct),
            _ => false,
        };
    }

    /// <summary>By the person's own rights, whether or not the app may read Patients.</summary>
    private async ValueTask<bool> MayReadAsync(Grant grant, GrantedUser user, string patientId, CancellationToken ct) =>
        user.FhirUser is { Type: "Patient" } self ? self.Id == patientId
        : await patients.FindAsync(new(grant.ClientId, [new SmartScope(ScopeLevel.User, "Patient", Permissions.Read | Permissions.Search)], user), patientId, ct) is not null;

    private async ValueTask<bool> IsTheirsAsync(ResourceKey role, GrantedUser user, CancellationToken ct)
    {
        if (user.FhirUser is not { } self || await store.ReadAsync(role, ct) is not { Deleted: false } found)
        {
            return false;
        }
        using var document = JsonDocument.Parse(found.Json);
        return document.RootElement.TryGetProperty("practitioner", out var practitioner) && practitioner.TryGetProperty("reference", out var reference)
            && reference.GetString() is { } text && (text == self.ToString() || text.EndsWith($"/{self}", StringComparison.Ordinal));
    }
}
