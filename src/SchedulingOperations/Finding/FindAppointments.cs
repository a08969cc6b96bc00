using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using FhirStore;
using FhirStore.Access;
using SchedulingOperations.Booking;
using SchedulingOperations.Rules;
using SchedulingOperations.Views;
using SchedulingOperations.Wire;

namespace SchedulingOperations.Finding;

/// <summary><c>$find</c>: free times as proposed appointments. Nothing is stored and nothing is promised; the proposal's id can be held or booked.</summary>
internal sealed class FindAppointments(ResourceStore store, Schedules schedules, SlotQueries queries, Proposals proposals, SchedulingOptions options, TimeProvider clock)
{
    private readonly Candidates _candidates = new(store, schedules, queries);
    private readonly FreeTimes _times = new(store, queries, options, clock);

    public async Task<Outcome<SchedulingReply>> RunAsync(SchedulingCall call, CancellationToken ct)
    {
        if (!FindRequest.Read(call, options).TryGet(out var request, out var failure)
            || !(await _candidates.FindAsync(request, ct)).TryGet(out var candidates, out failure)
            || !(await OffersAsync(request, await KnownPatientsAsync(call, request, ct), candidates, ct)).TryGet(out var offers, out failure))
        {
            return failure;
        }
        offers.Sort((a, b) => a.Position.CompareTo(b.Position));
        var first = request.After is { } after ? offers.FindIndex(offer => offer.Position.CompareTo(after) > 0) : 0;
        var page = first < 0 ? [] : offers.GetRange(first, Math.Min(request.Count, offers.Count - first));
        string? next = null;
        if (page.Count > 0 && first + page.Count < offers.Count)
        {
            var query = request.Normal.Append(new("_count", $"{request.Count}")).Append(new("_page", page[^1].Position.ToString()));
            next = $"{call.BaseUrl}/Appointment/$find?" + string.Join('&', query.Select(p => $"{p.Key}={Uri.EscapeDataString(p.Value)}"));
        }
        var body = Replies.Write(writer =>
        {
            Replies.Begin(writer, call, offers.Count, next);
            foreach (var offer in page)
            {
                var id = proposals.Encode(new(offer.Second is { } second ? [offer.First.Token, second.Token] : [offer.First.Token], offer.Time.Span));
                writer.WriteStartObject();
                writer.WriteString("fullUrl"u8, $"{call.BaseUrl}/Appointment/{id}");
                writer.WritePropertyName("resource"u8);
                ProposalWriter.Write(writer, id, offer, request);
                Replies.WriteMode(writer, "match"u8);
                writer.WriteEndObject();
            }
            Replies.WriteOutcomeEntry(writer, [
                Issue.Information("informational", offers.Count == 0 ? "No free time matches." : $"{offers.Count} free times match; none of them is kept until it is held or booked."),
                .. request.Notes,
            ]);
            Replies.End(writer);
        });
        return new SchedulingReply(200, body);
    }

    /// <summary>When a patient is busy is told to who may name them.</summary>
    private async ValueTask<List<string>> KnownPatientsAsync(SchedulingCall call, FindRequest request, CancellationToken ct)
    {
        if (call.Caller is null)
        {
            return request.Patients;
        }
        var known = new List<string>();
        foreach (var reference in request.Patients)
        {
            if (call.TryParse(reference, out var key) && await store.ReadAsync(key, ct) is { } patient && call.Sees(patient, Use.Name))
            {
                known.Add(reference);
            }
        }
        return known;
    }

    private async ValueTask<Outcome<List<Offer>>> OffersAsync(FindRequest request, List<string> patients, CandidateSet candidates, CancellationToken ct)
    {
        var offers = new List<Offer>();
        var now = clock.GetUtcNow();
        var partnerTimes = new Dictionary<string, (List<FreeTime> Free, List<TimeRange> Busy)>(StringComparer.Ordinal);
        foreach (var candidate in candidates.First)
        {
            var schedule = new ScheduleView(candidate.Schedule);
            var free = await _times.SlotsAsync(candidate, request.Window, ct);
            free.RemoveAll(slot => !schedule.IsPlanned(slot.Span) || !Serves(slot.Slot, candidate.Schedule, request));
            if (free.Count == 0)
            {
                continue;
            }
            var busy = await _times.BusyAsync(ActorsOf(schedule).Concat(patients), request.Window, ct);
            var partners = candidates.Partners(candidate);
            foreach (var time in FreeTimes.Cut(free, request.Window, request.Duration, now, busy))
            {
                if (partners is null)
                {
                    offers.Add(new(candidate, time, null, []));
                }
                else
                {
                    foreach (var partner in partners)
                    {
                        if (!partnerTimes.TryGetValue(partner.Reference, out var theirs))
                        {
                            theirs = (await _times.SlotsAsync(partner, request.Window, ct), await _times.BusyAsync(ActorsOf(new(partner.Schedule)), request.Window, ct));
                            partnerTimes.Add(partner.Reference, theirs);
                        }
                        if (partner.Reference != candidate.Reference && Beside(theirs.Free, theirs.Busy, time.Span) is { IsEmpty: false } slots)
                        {
                            offers.Add(new(candidate, time, partner, slots));
                            break;
                        }
                    }
                }
                if (offers.Count > options.FindLimit)
                {
                    return Refusals.Malformed($"More than {options.FindLimit} free times match; ask for a shorter range or for fewer schedules.", "end", "too-costly");
                }
            }
        }
        return offers;
    }

    /// <summary>Slots of a second schedule that cover the time; none where it is not free.</summary>
    private static ImmutableArray<string> Beside(List<FreeTime> free, List<TimeRange> busy, TimeRange wanted)
    {
        if (busy.Exists(other => other.Overlaps(wanted)))
        {
            return [];
        }
        var spans = free.ConvertAll(slot => new SlotSpan(slot.SlotId, "", slot.Span, ""));
        return [.. SlotCover.Choose(spans, wanted).Select(i => free[i].SlotId)];
    }

    /// <summary>What the slot says of service and specialty counts; where it says nothing, what its schedule says.</summary>
    private static bool Serves(JsonElement slot, JsonElement schedule, FindRequest request)
    {
        if (request.Services.Count > 0)
        {
            var offering = ServiceMatch.IsCoded(slot, "serviceType"u8) ? slot : schedule;
            if (ServiceMatch.IsCoded(offering, "serviceType"u8) && !ServiceMatch.HasAny(offering, "serviceType"u8, request.Services)
                && !ServiceMatch.HasAny(slot, "appointmentType"u8, request.Services))
            {
                return false;
            }
        }
        return request.Specialties.Count == 0
            || ServiceMatch.HasAny(ServiceMatch.IsCoded(slot, "specialty"u8) ? slot : schedule, "specialty"u8, request.Specialties);
    }

    private static IEnumerable<string> ActorsOf(ScheduleView schedule)
    {
        foreach (var actor in schedule.Actors)
        {
            if (References.Text(actor) is { } reference)
            {
                yield return reference;
            }
        }
    }
}
