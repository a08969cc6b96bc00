using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FhirCore;
using FhirCore.Records;
using FhirStore.Encryption;

namespace SchedulingOperations.Idempotency;

/// <summary>A call that carries an <c>Idempotency-Key</c>.</summary>
/// <param name="Record">Where the first answer is kept: a digest of client and key.</param>
/// <param name="Request">Digest of what was asked.</param>
internal sealed record KeyedCall(ResourceKey Record, byte[] Request);

/// <summary>The first answer, as far as it cannot be made again from the appointment's version.</summary>
internal sealed record KeptAnswer(string AppointmentId, long Version, int Status, bool AsBundle);

/// <summary>
/// Remembers the answers of keyed calls. The record is written in the commit that it answers for, so there is never an answer
/// without its booking or a booking without its answer; it names the version made, whose bytes history keeps.
/// </summary>
internal sealed class IdempotencyLedger(IRecordStore records, DataProtector protector, SchedulingOptions options, TimeProvider clock)
{
    public const string RecordType = "_Idempotency";

    /// <summary>When the answer is forgotten (8).</summary>
    public static readonly IndexField Expires = IndexField.Of("_Idempotency~expires");

    private const string Purpose = "scheduling/idempotency";
    private const int DigestLength = 32;

    /// <returns>Null for a call without a key.</returns>
    public static KeyedCall? Read(SchedulingCall call)
    {
        if (call.IdempotencyKey is not { Length: > 0 } key)
        {
            return null;
        }
        var owner = SHA256.HashData(Encoding.UTF8.GetBytes($"{call.ClientId.Length}:{call.ClientId}{key}"));
        var request = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(request))
        {
            writer.WriteStartArray();
            writer.WriteNumberValue((int)call.Operation);
            writer.WriteStringValue(call.InstanceId);
            foreach (var (name, value) in call.Query)
            {
                writer.WriteStringValue(name);
                writer.WriteStringValue(value);
            }
            call.Body?.WriteTo(writer);
            writer.WriteEndArray();
        }
        return new(new(RecordType, Convert.ToHexStringLower(owner)), SHA256.HashData(request.WrittenSpan));
    }

    /// <returns>The answer given before; null where there is none; a refusal where the key was used for another request.</returns>
    public async ValueTask<(KeptAnswer? Answer, FhirFailure? Refusal, long RecordVersion)> FindAsync(KeyedCall call, CancellationToken ct)
    {
        if (await records.GetAsync(call.Record, ct) is not { Deleted: false } record)
        {
            return default;
        }
        if (SortableTime.Decode(record.Index.First(Expires).Span) <= clock.GetUtcNow())
        {
            return (null, null, record.Version);
        }
        if (!protector.TryOpen(Purpose, Encoding.UTF8.GetString(record.Body.Span), out var plain))
        {
            throw new StoreCorruptException($"{call.Record} cannot be opened.");
        }
        return plain.AsSpan(0, DigestLength).SequenceEqual(call.Request)
            ? (Read(plain.AsSpan(DigestLength)), null, record.Version)
            : (null, Refusals.Rule("The Idempotency-Key was used for another request. Use a new key for a new request.", null, "idempotency-key-reused"), record.Version);
    }

    /// <param name="recordVersion">Of an expired record under the same key; 0 where there is none.</param>
    public RecordWrite Keep(KeyedCall call, KeptAnswer answer, long recordVersion)
    {
        var now = clock.GetUtcNow();
        var index = new IndexEntries.Builder();
        index.Add(Expires, SortableTime.Encode(now + options.IdempotencyLifetime));
        var record = new StoredRecord
        {
            Key = call.Record,
            Version = recordVersion + 1,
            LastUpdated = new(now.UtcTicks - now.UtcTicks % TimeSpan.TicksPerMillisecond, TimeSpan.Zero),
            Partition = call.Record.Id,
            Body = Encoding.UTF8.GetBytes(protector.Seal(Purpose, Write(call, answer))),
            Index = index.Build(),
        };
        return new(record, recordVersion, Journal: false, "idempotency");
    }

    private static byte[] Write(KeyedCall call, KeptAnswer answer)
    {
        var plain = new byte[DigestLength + 11 + answer.AppointmentId.Length];
        call.Request.CopyTo(plain, 0);
        var rest = plain.AsSpan(DigestLength);
        BinaryPrimitives.WriteInt64BigEndian(rest, answer.Version);
        BinaryPrimitives.WriteInt16BigEndian(rest[8..], (short)answer.Status);
        rest[10] = answer.AsBundle ? (byte)1 : (byte)0;
        Encoding.ASCII.GetBytes(answer.AppointmentId, rest[11..]);
        return plain;
    }

    private static KeptAnswer Read(ReadOnlySpan<byte> plain) => new(
        Encoding.ASCII.GetString(plain[11..]), BinaryPrimitives.ReadInt64BigEndian(plain), BinaryPrimitives.ReadInt16BigEndian(plain[8..]), plain[10] == 1);
}
