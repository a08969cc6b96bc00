using System.Text;
using Confluent.Kafka;
using CsCheck;
using Events.Kafka.Messages;
using FhirCore;
using FhirCore.Events;
using FhirCore.Records;
using FhirStore.Encryption;
using Storage.Contract;

namespace Events.Kafka.Tests;

/// <summary>Events as messages: all of an event comes back, and nothing of it that is sealed can be read on the way.</summary>
public sealed class EventMessageTests
{
    private const int Largest = 900;
    private static readonly byte[] Source = EventMessage.Bytes("urn:uuid:timeline");

    private static readonly Gen<ResourceEvent> Any =
        from sequence in Gen.Long[1, long.MaxValue]
        from version in Gen.Long[1, 1_000_000]
        from ticks in Gen.Long[A.Noon.Ticks, A.Noon.AddYears(200).Ticks]
        from deleted in Gen.Bool
        from gone in Gen.Bool
        from partition in Gen.String[Gen.Char.AlphaNumeric, 0, 64]
        from body in Gen.Byte.Array[0, 2 * Largest]
        let change = new ChangeRow(sequence, new("Appointment", "a.1-b"), version, new(ticks, TimeSpan.Zero), deleted, partition, deleted ? "delete" : "book")
        select new ResourceEvent(change, gone ? null : new()
        {
            Key = change.Key, Version = version, LastUpdated = change.At, Deleted = deleted, Partition = partition, Body = deleted ? default : body,
        });

    [Fact]
    public void Message_OfAnyEvent_BringsAllOfItBack() => Any.Sample(told =>
    {
        var read = EventMessage.Read(EventMessage.Write(told, Source, Largest))!;
        Assert.Equal(("urn:uuid:timeline", told.Change, told.Id), (read.Source, read.Told.Change, read.Told.Id));
        Assert.Equal(told.Version?.Body.Length > Largest, read.IsInStore);
        if (told.Version is { } version && !read.IsInStore)
        {
            var back = read.Told.Version!;
            Assert.Equal((version.Key, version.Version, version.LastUpdated, version.Deleted, version.Partition), (back.Key, back.Version, back.LastUpdated, back.Deleted, back.Partition));
            Assert.Equal(version.Body.ToArray(), back.Body.ToArray());
        }
        else
        {
            Assert.Null(read.Told.Version);
        }
    });

    /// <summary>Whatever else lies in a topic is not taken for an event.</summary>
    [Fact]
    public void Message_ThatLacksAHeader_OrHasAStrangeOne_IsNone() => Any.Sample(told =>
    {
        var message = EventMessage.Write(told, Source, Largest);
        foreach (var header in message.Headers.Where(header => header.Key is not (HeaderNames.SpecVersion or HeaderNames.Subject)))
        {
            var without = new Headers();
            var strange = new Headers();
            foreach (var other in message.Headers)
            {
                strange.Add(other.Key, other.Key == header.Key ? "?"u8.ToArray() : other.GetValueBytes());
                if (other.Key != header.Key)
                {
                    without.Add(other.Key, other.GetValueBytes());
                }
            }
            Assert.Null(EventMessage.Read(new() { Key = message.Key, Value = message.Value, Headers = without }));
            Assert.True(header.Key == HeaderNames.Source || EventMessage.Read(new() { Key = message.Key, Value = message.Value, Headers = strange }) is null, header.Key);
        }
        Assert.Null(EventMessage.Read(new() { Key = null!, Value = message.Value, Headers = message.Headers }));
        Assert.Null(EventMessage.Read(new() { Key = message.Key, Value = message.Value, Headers = null! }));
    }, iter: 20);

    /// <summary>https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md#32-binary-content-mode</summary>
    [Fact]
    public void Message_IsACloudEvent()
    {
        var change = new ChangeRow(7, new("Slot", "s1"), 3, A.Noon, false, "schedule-1", "book");
        var message = EventMessage.Write(new(change, A.Record(change.Key, 3)), Source, Largest);
        Assert.Equal("schedule-1", Encoding.UTF8.GetString(message.Key));
        Assert.Equal(
            ("1.0", "Slot/s1/3", "urn:uuid:timeline", "fhir.book", "Slot/s1", "2026-03-01T12:00:00.0000000Z", "7"),
            (Text(message, "ce_specversion"), Text(message, "ce_id"), Text(message, "ce_source"), Text(message, "ce_type"), Text(message, "ce_subject"), Text(message, "ce_time"), Text(message, "ce_sequence")));
    }

    [Fact]
    public void DeadLetter_IsTheMessageAsItWas_AndSaysWhoAndWhy()
    {
        var told = new ResourceEvent(new(7, new("Slot", "s1"), 3, A.Noon, false, "p", "book"), A.Record(new("Slot", "s1"), 3, partition: "p"));
        var message = EventMessage.WriteDead(new("subscriptions", "slot-0of3", told, "JsonException"), Source, Largest);
        Assert.Equal(told.Change, EventMessage.Read(message)!.Told.Change);
        Assert.Equal(("subscriptions", "slot-0of3", "JsonException"), (Text(message, HeaderNames.DeadGroup), Text(message, HeaderNames.DeadLane), Text(message, HeaderNames.DeadWhy)));
    }

    /// <summary>A message holds the body as it is sealed under the patient's key, so the end of the key is the end of what Kafka still has.</summary>
    [Fact]
    public async Task PatientsKey_Destroyed_NothingInKafkaCanBeOpened()
    {
        await using var store = new InMemoryRecordStore();
        using var folder = new Folder();
        using var vault = FileKeyVault.Open(folder.KeyFile, mayCreate: true);
        var key = new ResourceKey("Patient", "p1");
        var writes = new List<RecordWrite>();
        Message<byte[], byte[]> message;
        using (var keys = await StoreKeys.OpenAsync(store, vault, TimeProvider.System, default))
        {
            var body = await keys.Cipher.SealAsync(key, 1, A.Noon, "p1", "{\"name\":\"Planted\"}"u8.ToArray(), writes, default);
            message = EventMessage.Write(new(new(1, key, 1, A.Noon, false, "p1", "create"), A.Record(key, partition: "p1", at: A.Noon) with { Body = body }), Source, Largest);
            Assert.IsType<CommitResult.Done>(await store.CommitAsync(new([.. writes], [], []), default));
            Assert.Equal("{\"name\":\"Planted\"}"u8.ToArray(), (await keys.Cipher.OpenAsync(EventMessage.Read(message)!.Told.Version!, default)).ToArray());
        }
        foreach (var bytes in (byte[][])[message.Key, message.Value, .. message.Headers.Select(header => header.GetValueBytes())])
        {
            Assert.Equal(-1, bytes.AsSpan().IndexOf("Planted"u8));
        }

        var row = writes[0].Record;
        var erased = new RecordWrite(row with { Version = 2, Deleted = true, Body = default }, 1, Journal: false, "erase");
        Assert.IsType<CommitResult.Done>(await store.CommitAsync(Commit.Of(erased), default));
        using var later = await StoreKeys.OpenAsync(store, vault, TimeProvider.System, default);
        await Assert.ThrowsAsync<StoreCorruptException>(async () => await later.Cipher.OpenAsync(EventMessage.Read(message)!.Told.Version!, default));
    }

    private static string Text(Message<byte[], byte[]> message, string name) => Encoding.UTF8.GetString(message.Headers.GetLastBytes(name));

    private sealed class Folder : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fhir-kafka-");

        public string KeyFile => Path.Combine(_folder.FullName, "keys", "master.key");

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
