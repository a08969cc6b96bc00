using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using FhirCore;
using FhirStore;
using FhirStore.Indexing;
using FhirStore.Search;

namespace Authorization.Accounts;

/// <summary>A Patient with the identifier that was stated.</summary>
/// <param name="Contact">Whether the verified e-mail address or phone is the Patient's.</param>
/// <param name="Fit">Whether the record is in use at all: active, not merged into another, its person alive.</param>
public sealed record PatientCandidate(string Id, bool BirthDate, bool Family, bool Contact, bool Fit);

/// <summary>Compares what a person says of themselves with the Patients there are.</summary>
public sealed class PatientMatch(SearchService search)
{
    /// <returns>None, one, or two, which stands for several.</returns>
    public async Task<ImmutableArray<PatientCandidate>> FindAsync(PatientClaim claim, Account account, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(claim);
        var token = claim.System is { Length: > 0 } system ? $"{QueryText.Escape(system)}|{QueryText.Escape(claim.Value)}" : QueryText.Escape(claim.Value);
        var found = await search.MatchAsync("Patient", [new("identifier", token)], caller: null, ct); // the server itself looks
        return found.TryGet(out var match, out _) ? [.. match.Matches.Select(patient => Compare(patient, claim, account))] : [];
    }

    /// <summary>Only one Patient, and everything that was stated and proven fits: nothing is left for staff to decide.</summary>
    public static PatientCandidate? Certain(ImmutableArray<PatientCandidate> candidates) =>
        candidates is [{ BirthDate: true, Family: true, Contact: true, Fit: true } only] ? only : null;

    private static PatientCandidate Compare(StoredResource patient, PatientClaim claim, Account account)
    {
        using var document = JsonDocument.Parse(patient.Json);
        var root = document.RootElement;
        var born = claim.BirthDate.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var family = Folded(claim.Family);
        return new(
            patient.Key.Id,
            Text(root, "birthDate") == born,
            Items(root, "name").Any(name => Text(name, "family") is { } known && Folded(known) == family),
            Items(root, "telecom").Any(telecom => IsTheirs(telecom, account)),
            !(root.TryGetProperty("active", out var active) && active.ValueKind == JsonValueKind.False)
                && !Items(root, "link").Any(link => Text(link, "type") == "replaced-by")
                && !root.TryGetProperty("deceasedDateTime", out _)
                && !(root.TryGetProperty("deceasedBoolean", out var deceased) && deceased.ValueKind == JsonValueKind.True));
    }

    private static bool IsTheirs(JsonElement telecom, Account account) =>
        Text(telecom, "use") != "old"
        && Text(telecom, "value") is { } value
        && Contact.Parse(value) is { } contact
        && (contact.Kind == ContactKind.Email ? account.EmailVerified && contact.Value == account.Email : account.PhoneVerified && contact.Value == account.Phone);

    private static string Folded(string name) => TextFolding.Fold(string.Join(' ', name.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static IEnumerable<JsonElement> Items(JsonElement element, string name) =>
        element.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : [];
}
