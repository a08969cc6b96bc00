using System.Net;
using Auditing.Blocks;
using Auditing.Checking;
using Auditing.Entries;
using Auditing.Reading;
using Auditing.Trail;
using CsCheck;
using FhirCore;
using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Indexing;
using FhirStore.Search;
using Microsoft.Extensions.Time.Testing;
using SchedulingOperations.Tests.Support;
using Storage.Contract;

namespace Auditing.Tests;

/// <summary>A store in memory with keys, and a trail in it.</summary>
internal sealed class AuditHouse : IDisposable
{
    public static readonly DateTimeOffset Start = new(2030, 5, 17, 8, 30, 0, TimeSpan.Zero);

    private readonly StoreKeys _keys;

    private AuditHouse(InMemoryRecordStore store, StoreKeys keys, FakeTimeProvider clock)
    {
        (Store, _keys, Clock) = (store, keys, clock);
        Bodies = new(store, keys.Cipher, clock);
        var options = new SearchOptions { BaseUrl = "https://clinic.example/fhir" };
        var operational = new OperationalFields(keys.IndexTokens);
        var search = new SearchService(store, keys.Cipher, keys.Protector, new(keys.IndexTokens, operational, options), operational, options, clock);
        Reader = new(store, keys.Cipher, keys.IndexTokens, keys.Protector, search, new(new("https://clinic.example/fhir")), clock);
    }

    public InMemoryRecordStore Store { get; }

    public FakeTimeProvider Clock { get; }

    public SealedBodies Bodies { get; }

    public AuditReader Reader { get; }

    public AuditOptions Options { get; } = new();

    public RecordCipher Cipher => _keys.Cipher;

    public static async Task<AuditHouse> OpenAsync()
    {
        var (store, clock) = (new InMemoryRecordStore(), new FakeTimeProvider(Start));
        return new(store, await StoreKeys.OpenAsync(store, new TestVault(), clock, default), clock);
    }

    /// <summary>A run of a process.</summary>
    public BlockWriter Writer(IRecordStore? store = null) => new(store ?? Store, _keys.Cipher, _keys.IndexTokens, Options, Clock);

    public AuditTrail Trail(IRecordStore store, IAuditObserver observer, TimeProvider clock) => new(store, _keys.Cipher, _keys.IndexTokens, Options, clock, observer);

    public async Task<List<string>> VerifyAsync()
    {
        var found = new List<string>();
        var report = await new ChainVerifier(Store, _keys.Cipher, Clock).RunAsync(found.Add, default);
        Assert.Equal(found.Count, report.Damages);
        return found;
    }

    public async Task<List<StoredRecord>> BlocksAsync() =>
        [.. (await Store.QueryAsync(new(AuditBlock.RecordType, Predicate.Everything, RecordOrder.ById, null, 10_000), default)).Records];

    /// <summary>What somebody who has the keys could do: other content under the same key and version.</summary>
    public async Task ForgeAsync(StoredRecord record, byte[] body)
    {
        var forged = await Bodies.SealAsync(record.Key, record.Version - 1, record.Index, body, new List<RecordWrite>(), default);
        await PutAsync(forged.Record);
    }

    /// <summary>Past all conditions, as on the engine itself.</summary>
    public async Task PutAsync(StoredRecord record) => await Store.WriteAsync([new StoreRow.Current(record, 0)], default);

    public async Task RemoveAsync(ResourceKey key) => Assert.IsType<CommitResult.Done>(await Store.CommitAsync(new([], [], [key]), default));

    public async Task AppendAsync(BlockWriter writer, params IReadOnlyList<AuditEntry> entries)
    {
        var waiting = entries.Select(entry => new Waiting(entry, null)).ToArray();
        for (var done = 0; done < waiting.Length;)
        {
            done += (await writer.AppendAsync(waiting, done, default)).Entries;
        }
    }

    public static AuditEntry Read(string patient, DateTimeOffset at, string client = "app") => new()
    {
        Kind = AuditKind.Access, At = at, Interaction = AuditInteraction.Read, Status = 200, Type = "Patient", Id = patient, Version = 1, ClientId = client, Patients = [patient],
    };

    public void Dispose() => _keys.Dispose();

    private static readonly Gen<string> AnyId = Gen.Char["abcXYZ019-."].Array[1, 20].Select(chars => new string(chars));

    public static readonly Gen<AuditEntry> AnyEntry =
        from kind in Gen.Enum<AuditKind>()
        from interaction in Gen.Enum<AuditInteraction>()
        from seconds in Gen.Int[0, 20]
        from status in Gen.Int[0, 11].Select(i => ((int[])[200, 201, 204, 304, 400, 401, 403, 404, 412, 422, 500, 503])[i])
        from texts in Gen.Char["aé€ \"\\/?&="].Array[0, 12].Select(chars => new string(chars)).Array[5]
        from code in Gen.Int[0, 4].Select(i => ((string[])["sign-in", "token", "consent", "account-change", "start"])[i])
        from id in AnyId
        from hasId in Gen.Bool
        from version in Gen.Long[0, long.MaxValue]
        from address in Gen.OneOf(Gen.Const(0).Select(_ => (IPAddress?)null), Gen.Byte.Array[4].Select(bytes => (IPAddress?)new IPAddress(bytes)), Gen.Byte.Array[16].Select(bytes => (IPAddress?)new IPAddress(bytes)))
        from patients in AnyId.Array[0, 3]
        from hasUser in Gen.Bool
        from hash in Gen.Byte.Array[32]
        from links in Gen.Int[0, 2]
        select new AuditEntry
        {
            Kind = kind, Interaction = interaction, At = Start.AddSeconds(seconds), Took = TimeSpan.FromMicroseconds(seconds * 7), Status = status,
            Type = hasId ? "Observation" : null, Id = hasId ? id : null, Version = version, Operation = kind == AuditKind.Access ? texts[0] : code, ClientId = texts[1], AccountId = hasUser ? texts[2] : null,
            FhirUser = hasUser ? new ResourceKey("Practitioner", id) : null, Address = address, RequestId = texts[3], Query = texts[4], Issue = texts[1], Reason = texts[2],
            Patients = patients.Distinct().ToArray(),
            Links = kind == AuditKind.Links ? [.. Enumerable.Range(0, links).Select(i => new ChainLink($"{i:x16}", i, hash))] : [],
        };
}
