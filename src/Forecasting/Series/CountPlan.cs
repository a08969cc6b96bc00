using System.Collections.Immutable;
using FhirCore;
using FhirCore.Records;
using FhirStore.Sealed;

namespace Forecasting.Series;

/// <summary>Changes of counts, collected until they are written in one commit.</summary>
internal sealed class CountPlan(LoadRecords load)
{
    private readonly Dictionary<string, MonthChanges> _months = new(StringComparer.Ordinal);
    private readonly List<(string Id, CountedAppointment Value, long Expected)> _counts = [];
    private readonly List<Sealed<CountedAppointment>> _forgotten = [];

    private sealed class MonthChanges(int month)
    {
        public int Month => month;

        /// <summary>Known where something is added; a month that is only taken from is there already.</summary>
        public LoadKey? Key { get; set; }

        public List<(CountedVisit Visit, int Sign)> Changes { get; } = [];
    }

    /// <summary>Appointments that count otherwise than before.</summary>
    public int Changed { get; private set; }

    /// <param name="before">What is counted of it now; null where nothing ever was.</param>
    public void Set(AppointmentVersion version, Sealed<CountedAppointment>? before, ImmutableArray<Visit> visits)
    {
        var old = before?.Value.Visits ?? [];
        var after = visits.Select(visit => new CountedVisit(load.TokenOf(visit.Key), visit.Day.DayNumber, visit.Hour, visit.State, visit.LeadDays)).ToImmutableArray();
        var isSame = old.SequenceEqual(after);
        if (isSame && (before is null ? version.Version == 1 : before.Value.Version == version.Version))
        {
            return; // of a first version that counts for nothing no older one can come late
        }
        _counts.Add((version.Key.Id, new(version.Version, after), before?.Version ?? 0));
        if (isSame)
        {
            return;
        }
        Changed++;
        foreach (var visit in old)
        {
            Change(visit, -1, null);
        }
        for (var i = 0; i < after.Length; i++)
        {
            Change(after[i], 1, visits[i].Key);
        }
    }

    /// <summary>Nothing is kept of an appointment but what it added, where <paramref name="stays"/> says so.</summary>
    public void Forget(Sealed<CountedAppointment>? before, Predicate<CountedVisit> stays)
    {
        if (before is null)
        {
            return;
        }
        _forgotten.Add(before);
        foreach (var visit in before.Value.Visits.Where(visit => !stays(visit)))
        {
            Changed++;
            Change(visit, -1, null);
        }
    }

    public async ValueTask<Commit> ToCommitAsync(DirectoryView directory, CountRequest request, CancellationToken ct)
    {
        var keyWrites = new List<RecordWrite>();
        var writes = new List<RecordWrite>(_counts.Count + _months.Count + 2);
        foreach (var (id, value, expected) in _counts)
        {
            writes.Add(await load.Counts.SealAsync(id, value, expected, keyWrites, ct));
        }
        foreach (var (id, changes) in _months)
        {
            var stored = await load.Months.FindAsync(id, ct);
            var month = stored?.Value ?? Empty(changes);
            var counts = MonthCounts.Of(month.Visits, month.Leads);
            foreach (var (visit, sign) in changes.Changes)
            {
                counts.Add(DateOnly.FromDayNumber(visit.Day).Day, visit.Hour, visit.State, visit.Lead, sign);
            }
            writes.Add(await load.Months.SealAsync(id, month with { Visits = counts.ToVisits(), Leads = counts.ToLeads() }, stored?.Version ?? 0, keyWrites, ct));
        }
        foreach (var entry in directory.Missing)
        {
            var id = load.MissingId(entry);
            if (await load.Missing.FindAsync(id, ct) is null)
            {
                writes.Add(await load.Missing.SealAsync(id, new(entry.ToString()), 0, keyWrites, ct));
            }
        }
        if (request.Progress is { } progress)
        {
            writes.Add(progress);
        }
        if (request.Step is { } step)
        {
            writes.Add(await load.Recounts.SealAsync(RecountState.Id, step.State, step.Version, keyWrites, ct));
        }
        else if (request.WantsRecount)
        {
            var stored = await load.Recounts.FindAsync(RecountState.Id, ct);
            var state = stored?.Value ?? RecountState.First;
            writes.Add(await load.Recounts.SealAsync(RecountState.Id, state with { Wanted = state.Wanted + 1 }, stored?.Version ?? 0, keyWrites, ct));
        }
        var conditions = directory.Conditions.ToList();
        foreach (var forgotten in _forgotten)
        {
            conditions.Add(new RecordCondition.VersionIs(new(LoadRecords.CountType, forgotten.Id), forgotten.Version));
        }
        return new([.. writes, .. keyWrites], [.. conditions], [.. _forgotten.Select(forgotten => new ResourceKey(LoadRecords.CountType, forgotten.Id))]);
    }

    private static LoadMonth Empty(MonthChanges changes) => changes.Key is { } key
        ? new(key.Practitioner, key.Service, key.Type, key.Location, changes.Month, [], [])
        : throw new StoreCorruptException("A month of the series is missing that visits were counted in.");

    private void Change(CountedVisit visit, int sign, LoadKey? key)
    {
        var month = LoadRecords.MonthOf(DateOnly.FromDayNumber(visit.Day));
        var id = LoadRecords.MonthId(visit.Key, month);
        if (!_months.TryGetValue(id, out var changes))
        {
            _months[id] = changes = new(month);
        }
        changes.Key ??= key;
        changes.Changes.Add((visit, sign));
    }
}
