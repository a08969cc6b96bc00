using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using FhirCore.Records;
using FhirStore.Access;
using FhirStore.Search;

namespace Authorization.Access.Privacy;

/// <summary>
/// The active privacy consents that deny something, in memory: read when first needed and again when one was written, by whichever
/// process. A look costs the reading of a stamp.
/// </summary>
public sealed class ConsentBook(IRecordStore records, SearchService search, SearchOptions options) : IDisposable
{
    private const int PageSize = 1_000;

    private static readonly ImmutableArray<KeyValuePair<string, string>> Query =
    [
        new("status", "active"), new("scope", "http://terminology.hl7.org/CodeSystem/consentscope|patient-privacy"), new("_count", $"{PageSize}"),
    ];

    private readonly SemaphoreSlim _reading = new(1, 1);
    private ConsentSnapshot? _kept;

    internal async ValueTask<ConsentSnapshot> ReadAsync(CancellationToken ct)
    {
        var stamp = await ConsentStamp.ReadAsync(records, ct);
        if (Volatile.Read(ref _kept) is { } kept && kept.Stamp == stamp)
        {
            return kept;
        }
        await _reading.WaitAsync(ct);
        try
        {
            stamp = await ConsentStamp.ReadAsync(records, ct); // before the consents: what is written meanwhile moves it again
            if (_kept is { } other && other.Stamp == stamp)
            {
                return other;
            }
            var fresh = new ConsentSnapshot(stamp, await ReadDenialsAsync(ct));
            Volatile.Write(ref _kept, fresh);
            return fresh;
        }
        finally
        {
            _reading.Release();
        }
    }

    public void Dispose() => _reading.Dispose();

    private async ValueTask<ImmutableArray<Denial>> ReadDenialsAsync(CancellationToken ct)
    {
        var denials = ImmutableArray.CreateBuilder<Denial>();
        string? next = null;
        do
        {
            var page = (await search.SearchAsync(new("Consent", Query, Strict: true, next), ct)).Value;
            foreach (var match in page.Matches)
            {
                using var document = JsonDocument.Parse(match.Json);
                var consent = document.RootElement;
                if (PatientOf(consent) is { } patient && ConsentRule.CanDeny(consent))
                {
                    denials.Add(new(patient, consent.Clone()));
                }
            }
            next = page.Next;
        }
        while (next is not null);
        return denials.DrainToImmutable();
    }

    private string? PatientOf(JsonElement consent)
    {
        if (!consent.TryGetProperty("patient"u8, out var patient) || !patient.TryGetProperty("reference"u8, out var reference) || reference.GetString() is not { } text)
        {
            return null;
        }
        if (options.BaseUrl is { } own && text.StartsWith(own, StringComparison.Ordinal))
        {
            text = text[own.Length..];
        }
        var history = text.IndexOf("/_history/", StringComparison.Ordinal);
        return ResourceKey.TryParse(history > 0 ? text[..history] : text, out var key) && key.Type == "Patient" ? key.Id : null;
    }
}

internal sealed record Denial(string Patient, JsonElement Consent);

/// <summary>The consents as they stood at one moment.</summary>
internal sealed class ConsentSnapshot(long stamp, ImmutableArray<Denial> denials)
{
    public long Stamp => stamp;

    /// <summary>The Patients that hide resources of the type from the user.</summary>
    public ImmutableSortedSet<string> Denying(GrantedUser user, string type, DateTimeOffset at)
    {
        if (denials.IsEmpty)
        {
            return [];
        }
        var actors = new HashSet<string>(StringComparer.Ordinal);
        if (user.FhirUser is { } self)
        {
            actors.Add(self.ToString());
        }
        foreach (var held in user.Roles)
        {
            if (held.Organization is { } organization)
            {
                actors.Add($"Organization/{organization}");
            }
        }
        var viewing = new Viewing(type, actors, at);
        return denials.Where(denial => ConsentRule.Denies(denial.Consent, viewing)).Select(denial => denial.Patient).ToImmutableSortedSet(StringComparer.Ordinal);
    }
}
