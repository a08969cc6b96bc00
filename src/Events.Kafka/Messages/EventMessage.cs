using System.Globalization;
using System.Text;
using Confluent.Kafka;
using FhirCore;
using FhirCore.Events;
using FhirCore.Records;

namespace Events.Kafka.Messages;

/// <summary>
/// An event as a message: key = partition (the patient, the schedule), value = the body as it is stored, sealed under the patient's key,
/// identity in the headers. What of a resource can be read in Kafka is what can be read on the engine's disk.
/// </summary>
internal static class EventMessage
{
    private const string Format = "1";
    private const string KindPrefix = "fhir.";
    private const string Time = "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'";

    private const string InMessage = "here";
    private const string InStore = "store";
    private const string Gone = "gone";

    private static readonly byte[] SpecVersionValue = Bytes("1.0");
    private static readonly byte[] FormatValue = Bytes(Format);
    private static readonly byte[] True = Bytes("true");
    private static readonly byte[] False = Bytes("false");

    /// <param name="source">The timeline that the sequence counts in.</param>
    /// <param name="largestBody">Longer ones stay in the store.</param>
    public static Message<byte[], byte[]> Write(ResourceEvent told, byte[] source, int largestBody)
    {
        var (change, version) = (told.Change, told.Version);
        var (place, value) = version is null ? (Gone, []) : version.Body.Length > largestBody ? (InStore, []) : (InMessage, version.Body.ToArray());
        var headers = new Headers
        {
            { HeaderNames.SpecVersion, SpecVersionValue },
            { HeaderNames.Id, Bytes(told.Id) },
            { HeaderNames.Source, source },
            { HeaderNames.Kind, Bytes(KindPrefix + change.Cause) },
            { HeaderNames.Subject, Bytes(change.Key.ToString()) },
            { HeaderNames.Time, Bytes(change.At.UtcDateTime.ToString(Time, CultureInfo.InvariantCulture)) },
            { HeaderNames.Sequence, Bytes(change.Sequence.ToString(CultureInfo.InvariantCulture)) },
            { HeaderNames.Deleted, change.Deleted ? True : False },
            { HeaderNames.Body, Bytes(place) },
            { HeaderNames.Format, FormatValue },
        };
        return new() { Key = Bytes(change.Partition), Value = value, Headers = headers };
    }

    public static Message<byte[], byte[]> WriteDead(DeadEvent dead, byte[] source, int largestBody)
    {
        var message = Write(dead.Event, source, largestBody);
        message.Headers.Add(HeaderNames.DeadGroup, Bytes(dead.Group));
        message.Headers.Add(HeaderNames.DeadLane, Bytes(dead.Lane));
        message.Headers.Add(HeaderNames.DeadWhy, Bytes(dead.Why));
        return message;
    }

    /// <returns>Null where it is no message of this kind.</returns>
    public static ReadMessage? Read(Message<byte[], byte[]> message)
    {
        if (Text(message, HeaderNames.Format) != Format || message.Key is not { } key || message.Value is not { } value || Text(message, HeaderNames.Source) is not { } source
            || Text(message, HeaderNames.Id)?.Split('/') is not [var type, var id, var version] || !FhirIds.IsValid(id) || type.Length == 0
            || !long.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || !long.TryParse(Text(message, HeaderNames.Sequence), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            || !DateTime.TryParseExact(Text(message, HeaderNames.Time), Time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at)
            || Text(message, HeaderNames.Kind) is not { } kind || !kind.StartsWith(KindPrefix, StringComparison.Ordinal)
            || Text(message, HeaderNames.Deleted) is not ("true" or "false") || Text(message, HeaderNames.Body) is not (InMessage or InStore or Gone))
        {
            return null;
        }
        var deleted = Text(message, HeaderNames.Deleted) == "true";
        var partition = Encoding.UTF8.GetString(key);
        var change = new ChangeRow(sequence, new(type, id), number, new(at, TimeSpan.Zero), deleted, partition, kind[KindPrefix.Length..]);
        var place = Text(message, HeaderNames.Body);
        var record = place != InMessage ? null : new StoredRecord
        {
            Key = change.Key,
            Version = number,
            LastUpdated = change.At,
            Deleted = deleted,
            Partition = partition,
            Body = value,
        };
        return new(source, new(change, record), place == InStore);
    }

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string? Text(Message<byte[], byte[]> message, string name) =>
        message.Headers is { } headers && headers.TryGetLastBytes(name, out var bytes) && bytes is not null ? Encoding.UTF8.GetString(bytes) : null;
}

/// <param name="Source">The timeline it was written in.</param>
/// <param name="IsInStore">The version is to be read from the store, where it may be gone meanwhile.</param>
internal sealed record ReadMessage(string Source, ResourceEvent Told, bool IsInStore);
