using FhirCore.Records;
using FhirStore.Encryption;

namespace FhirStore.Indexing;

/// <summary>
/// Index fields that scheduling relies on, kept for Slot and Appointment beside their search parameters. Times are clear
/// (<see cref="SortableTime"/>), references are 16-byte tokens of <c>Type/id</c> made by <see cref="ReferenceToken"/>.
/// </summary>
public sealed class OperationalFields(IndexTokens tokens)
{
    private const int TokenLength = 16;
    private readonly IndexTokenKey _references = tokens.KeyFor("~reference");

    /// <summary>Slot: schedule token (16), status byte (1, see <see cref="SlotStatusByte"/>), start (8).</summary>
    public static readonly IndexField SlotScheduleStatusStart = IndexField.Of("Slot~schedule-status-start");

    /// <summary>Slot: schedule token (16), start (8): any status.</summary>
    public static readonly IndexField SlotScheduleStart = IndexField.Of("Slot~schedule-start");

    /// <summary>Slot and Appointment: end (8).</summary>
    public static readonly IndexField End = IndexField.Of("~end");

    /// <summary>
    /// Appointment, for each participant's actor: actor token (16), start (8). Only while it holds time: status pending, booked,
    /// arrived, checked-in. A long appointment has further entries, one every <see cref="ActorStep"/> after its start while it lasts:
    /// whoever asks what goes on at an instant looks back by one step, however long appointments are.
    /// </summary>
    public static readonly IndexField AppointmentActorStart = IndexField.Of("Appointment~actor-start");

    /// <summary>Between two entries of one long appointment in <see cref="AppointmentActorStart"/>.</summary>
    public static readonly TimeSpan ActorStep = TimeSpan.FromHours(1);

    /// <summary>Beyond this from its start an appointment has no more entries in <see cref="AppointmentActorStart"/>.</summary>
    public static readonly TimeSpan LongestActorTime = TimeSpan.FromDays(7);

    /// <summary>Appointment, one entry for each slot it refers to: slot token (16). Only while it holds time.</summary>
    public static readonly IndexField AppointmentSlot = IndexField.Of("Appointment~slot");

    /// <summary>Appointment in state pending that is a hold: when the hold ends (8).</summary>
    public static readonly IndexField AppointmentHoldUntil = IndexField.Of("Appointment~hold-until");

    /// <summary>Extension on Appointment with the end of a hold (valueDateTime, UTC).</summary>
    public const string HoldUntilUrl = "urn:fhir-server:appointment-hold-until";

    /// <summary>A value of <see cref="SlotScheduleStatusStart"/>.</summary>
    /// <param name="schedule">Token of the schedule's reference.</param>
    /// <param name="start">Microseconds since 0001-01-01 UTC, as <see cref="SortableTime"/> counts.</param>
    public static byte[] ScheduleStatusStart(ReadOnlySpan<byte> schedule, byte status, long start)
    {
        var value = new byte[TokenLength + 1 + SortableTime.Length];
        schedule[..TokenLength].CopyTo(value);
        value[TokenLength] = status;
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(value.AsSpan(TokenLength + 1), start);
        return value;
    }

    /// <summary>16-byte token of a relative reference.</summary>
    public byte[] ReferenceToken(string reference)
    {
        var token = new byte[TokenLength];
        _references.Token(reference, token);
        return token;
    }

    /// <summary>Writes the token to the first 16 bytes.</summary>
    internal void WriteReferenceToken(string reference, Span<byte> destination) => _references.Token(reference, destination[..TokenLength]);

    /// <summary>One byte for each Slot.status code; 0 for one R4 does not have.</summary>
    public static byte SlotStatusByte(string? status) => status switch
    {
        "free" => 1,
        "busy" => 2,
        "busy-tentative" => 3,
        "busy-unavailable" => 4,
        "entered-in-error" => 5,
        _ => 0,
    };
}
