using FhirCore;
using FhirCore.Records;
using FhirServer.Observability;
using FhirStore.Checking;
using FhirStore.Encryption;
using FhirStore.Indexing;
using Microsoft.Extensions.DependencyInjection;
using Tests.Shared;

namespace FhirServer.Tests;

/// <summary>Rows damaged behind the server's back, in the engine itself: what is damaged is never served, and never left out in silence.</summary>
public sealed class DamageTests : IAsyncLifetime
{
    private const string Planted = "Planted-Patient-Name";
    private readonly ServerFixture _server = new();
    private IStoreCopy _rows = null!;

    public async ValueTask InitializeAsync()
    {
        await _server.InitializeAsync();
        _rows = (IStoreCopy)_server.Services.GetRequiredService<CountedRecordStore>().Inner;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task BitFlippedInABody_EveryWayToIt_IsAnIntegrityFault(bool wasFoundBefore)
    {
        var (id, other) = (await CreateAsync("a"), await CreateAsync("b"));
        await FindAsync(wasFoundBefore);
        await ReplaceAsync(id, row => row with { Record = row.Record with { Body = Flip(row.Record.Body) } });

        await FaultAsync($"Patient/{id}");
        await FaultAsync("Patient?identifier=urn:test|a");
        await FaultAsync($"Patient?_id={id}");
        await FaultAsync("Patient");
        await FaultAsync($"Patient?family={Planted}");
        await FaultAsync($"Patient/{id}/_history/1");
        if (!EngineUnderTest.HasBodiesOfItsOwnInHistory)
        {
            await FaultAsync($"Patient/{id}/_history");
            await FaultAsync("Patient/_history");
            await FaultAsync("_history");
        }
        Assert.Equal(200, (await _server.Client.GetAsync($"Patient/{other}")).Status);
        await FoundByVerifyAsync(DamageKind.Unreadable, id);
    }

    [Fact]
    public async Task BitFlippedInHistory_TheHistoryIsAFault_TheCurrentVersionIsNot()
    {
        var id = await CreateAsync("a");
        await UpdateAsync(id, "a");
        await foreach (var row in _rows.ReadAsync(StorePosition.Start, default))
        {
            if (row is StoreRow.Journal { Change: { Key.Type: "Patient", Version: 1 }, Version: { } version } journal)
            {
                await _rows.WriteAsync([journal with { Version = version with { Body = Flip(version.Body) } }], default);
            }
        }
        await FaultAsync($"Patient/{id}/_history/1");
        await FaultAsync($"Patient/{id}/_history");
        await FaultAsync("Patient/_history");
        Assert.Equal(200, (await _server.Client.GetAsync($"Patient/{id}")).Status);
        await FoundByVerifyAsync(DamageKind.Unreadable, id);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task BodiesOfTwoRowsSwapped_NeitherIsServed(bool wereFoundBefore)
    {
        var (a, b) = (await CreateAsync("a"), await CreateAsync("b"));
        await FindAsync(wereFoundBefore);
        var (rowOfA, rowOfB) = (await RowAsync(a), await RowAsync(b));
        await _rows.WriteAsync([rowOfA with { Record = rowOfA.Record with { Body = rowOfB.Record.Body } }, rowOfB with { Record = rowOfB.Record with { Body = rowOfA.Record.Body } }], default);
        await FaultAsync($"Patient/{a}");
        await FaultAsync($"Patient/{b}");
        await FaultAsync("Patient?identifier=urn:test|b");
        await FoundByVerifyAsync(DamageKind.Unreadable, a, b);
    }

    [Fact]
    public async Task WholeRowUnderAnotherKey_IsNotServed()
    {
        var (a, b) = (await CreateAsync("a"), await CreateAsync("b"));
        var rowOfA = await RowAsync(a);
        await ReplaceAsync(b, row => rowOfA with { Record = rowOfA.Record with { Key = row.Record.Key } });
        await FaultAsync($"Patient/{b}");
        Assert.Equal(200, (await _server.Client.GetAsync($"Patient/{a}")).Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task IndexEntriesOfAnotherRow_DoNotMakeAWrongAnswer(bool wereFoundBefore)
    {
        var (a, b) = (await CreateAsync("a"), await CreateAsync("b"));
        await FindAsync(wereFoundBefore);
        var rowOfB = await RowAsync(b);
        await ReplaceAsync(a, row => row with { Record = row.Record with { Index = rowOfB.Record.Index } });
        await FaultAsync("Patient?identifier=urn:test|b"); // both are found; one of them does not match
        await FaultAsync($"Patient?family={Planted}");
        await FoundByVerifyAsync(DamageKind.WrongIndex, a);
    }

    [Fact]
    public async Task OldRowPutBackWhole_IsFoundByHistory_ByTheNextWrite_AndByVerify()
    {
        var id = await CreateAsync("a");
        var old = await RowAsync(id);
        var made = await ChangeAsync(id, 1);
        await UpdateAsync(id, "a");
        await _rows.WriteAsync([old, made], default); // the row as it was, and the history as it now is

        await FaultAsync($"Patient/{id}");
        await FaultAsync($"Patient?_id={id}");
        await FaultAsync("Patient?identifier=urn:test|a");
        await FaultAsync($"Patient/{id}/_history");
        if (!EngineUnderTest.HasBodiesOfItsOwnInHistory)
        {
            await FaultAsync("Patient/_history");
            await FaultAsync("_history");
        }
        var update = await _server.Client.PutAsync($"Patient/{id}", Patient("a", id));
        Assert.Equal(500, update.Status);
        await FoundByVerifyAsync(DamageKind.RolledBack, id);
    }

    [Fact]
    public async Task UntouchedStore_HasNoDamage()
    {
        var id = await CreateAsync("a");
        await UpdateAsync(id, "other");
        await CreateAsync("b");
        var (report, found) = await VerifyAsync();
        Assert.Empty(found);
        Assert.True(report.IsGood);
        Assert.Equal(3, report.Changes);
    }

    private static string Patient(string identifier, string? id = null) =>
        $$"""{"resourceType":"Patient",{{(id is null ? "" : $"\"id\":\"{id}\",")}}"identifier":[{"system":"urn:test","value":"{{identifier}}"}],"name":[{"family":"{{Planted}}"}]}""";

    private static byte[] Flip(ReadOnlyMemory<byte> body)
    {
        var bytes = body.ToArray();
        bytes[bytes.Length / 2] ^= 4;
        return bytes;
    }

    private async Task<string> CreateAsync(string identifier)
    {
        var reply = await _server.Client.PostAsync("Patient", Patient(identifier));
        Assert.Equal(201, reply.Status);
        return reply.Id!;
    }

    /// <summary>
    /// What a search has found it keeps opened: damage that comes afterwards is seen all the same. (Rows that are written to the embedded
    /// engine as they are here empty that memory; with MongoDB it stays.)
    /// </summary>
    private async Task FindAsync(bool really)
    {
        if (really)
        {
            Assert.Equal(2, (await _server.Client.GetAsync($"Patient?family={Planted}")).Entries.Count());
        }
    }

    private async Task UpdateAsync(string id, string identifier) =>
        Assert.Equal(200, (await _server.Client.PutAsync($"Patient/{id}", Patient(identifier, id))).Status);

    private async Task<StoreRow.Current> RowAsync(string id)
    {
        await foreach (var row in _rows.ReadAsync(StorePosition.Start, default))
        {
            if (row is StoreRow.Current current && current.Record.Key == new ResourceKey("Patient", id))
            {
                return current;
            }
        }
        throw new InvalidOperationException("There is no such row.");
    }

    private async Task<StoreRow.Journal> ChangeAsync(string id, long version)
    {
        await foreach (var row in _rows.ReadAsync(StorePosition.Start, default))
        {
            if (row is StoreRow.Journal journal && journal.Change.Key == new ResourceKey("Patient", id) && journal.Change.Version == version)
            {
                return journal;
            }
        }
        throw new InvalidOperationException("There is no such change.");
    }

    private async Task ReplaceAsync(string id, Func<StoreRow.Current, StoreRow> change) => await _rows.WriteAsync([change(await RowAsync(id))], default);

    private async Task FaultAsync(string path)
    {
        var reply = await _server.Client.GetAsync(path);
        Assert.True(reply.Status == 500, $"{path}: {reply.Status}");
        var issue = Assert.Single(reply.Issues);
        Assert.Contains("integrity", (string?)issue["diagnostics"], StringComparison.Ordinal);
        Assert.Contains("Trace id: ", (string?)issue["diagnostics"], StringComparison.Ordinal);
        Assert.DoesNotContain(Planted, reply.Text, StringComparison.Ordinal);
    }

    private async Task<(CheckReport Report, List<Damage> Found)> VerifyAsync()
    {
        var services = _server.Services;
        var found = new List<Damage>();
        var report = await new StoreVerifier((IRecordStore)_rows, services.GetRequiredService<RecordCipher>(), services.GetRequiredService<ResourceIndexer>()).RunAsync(found.Add, (_, _) => { }, default);
        return (report, found);
    }

    private async Task FoundByVerifyAsync(DamageKind kind, params string[] ids)
    {
        var (report, found) = await VerifyAsync();
        Assert.False(report.IsGood);
        foreach (var id in ids)
        {
            Assert.Contains(found, damage => damage.Kind == kind && damage.Key == new ResourceKey("Patient", id));
        }
        Assert.All(found, damage => Assert.Contains(damage.Key?.Id, ids));
    }
}
