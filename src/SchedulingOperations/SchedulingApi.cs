using FhirCore;
using FhirCore.Records;
using FhirStore;
using FhirStore.Encryption;
using FhirStore.Indexing;
using FhirStore.Search;
using FhirStore.Slots;
using SchedulingOperations.Booking;
using SchedulingOperations.Finding;
using SchedulingOperations.Idempotency;
using SchedulingOperations.Wire;

namespace SchedulingOperations;

/// <summary>The scheduling operations behind one door. Safe to share between threads.</summary>
public sealed class SchedulingApi
{
    private readonly string? _baseUrl;
    private readonly FindAppointments _find;
    private readonly HoldAppointment _hold;
    private readonly BookAppointment _book;
    private readonly CancelAppointment _cancel;
    private readonly ConfirmAppointment _confirm;
    private readonly RescheduleAppointment _reschedule;

    public SchedulingApi(
        ResourceStore store, IRecordStore records, SearchService search, SearchOptions searchOptions, OperationalFields fields, IndexTokens tokens, DataProtector protector, SchedulingOptions options,
        TimeProvider clock, FreeSlots? freeSlots = null)
    {
        ArgumentNullException.ThrowIfNull(searchOptions);
        _baseUrl = searchOptions.BaseUrl;
        var queries = new SlotQueries(store, fields, freeSlots);
        var desks = new Desks(queries, options, searchOptions.BaseUrl, clock);
        var runner = new OperationRunner(store, desks, new(records, protector, options, clock), new(options, searchOptions.BaseUrl, clock));
        var schedules = new Schedules(search);
        var reservations = new Reservations(queries, schedules, options);
        var moves = new Moves(queries, reservations);
        var proposals = new Proposals(tokens);
        _book = new(runner, reservations, moves, new(search, clock), proposals, queries, clock);
        _hold = new(runner, reservations, _book, proposals, queries, records, store, options, clock);
        _cancel = new(runner, options);
        _confirm = new(runner, moves);
        _reschedule = new(runner, moves, queries);
        _find = new(store, schedules, queries, proposals, options, clock);
    }

    /// <returns>A reply, or a refusal to be sent as an OperationOutcome. Where IHE's shapes are spoken refusals are replies, too: a Bundle with the outcome.</returns>
    public async Task<Outcome<SchedulingReply>> InvokeAsync(SchedulingCall call, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(call);
        call = call with { MainBaseUrl = _baseUrl };
        if (call.Dialect == SchedulingDialect.Argo)
        {
            return Refusals.Malformed("Argonaut's shapes are not offered yet; use the default base or the one of IHE or ISiK.", null, "not-supported");
        }
        var outcome = await (call.Operation switch
        {
            SchedulingOperation.Find => _find.RunAsync(call, ct),
            SchedulingOperation.Hold => _hold.RunAsync(call, ct),
            SchedulingOperation.Book => _book.RunAsync(call, ct),
            SchedulingOperation.Cancel => _cancel.RunAsync(call, ct),
            SchedulingOperation.Confirm => _confirm.RunAsync(call, ct),
            SchedulingOperation.Reschedule => _reschedule.RunAsync(call, ct),
            _ => throw new ArgumentOutOfRangeException(nameof(call), call.Operation, "Give the new operation its use case."),
        });
        return outcome.Failure is { } failure && call.Operation != SchedulingOperation.Find && BookingRequest.IsIhe(call)
            ? Replies.RefusalBundle(call, failure)
            : outcome;
    }
}
