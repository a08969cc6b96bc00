using FhirCore;
using FhirCore.Records;
using FhirStore.Encryption;
using Microsoft.Extensions.Time.Testing;
using Storage.Contract;

namespace FhirStore.Tests.Encryption;

public sealed class StoreKeysTests
{
    private static readonly string[] KeyIds = ["tenant", "subject-names", "index-root", "protector"];

    private readonly InMemoryRecordStore _store = new();
    private readonly TestVault _vault = new();
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task Open_ByManyAtOnceOnFirstStart_ShareOneSetOfKeys()
    {
        for (var round = 0; round < 20; round++)
        {
            var store = new YieldingStore();
            var opened = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () => await StoreKeys.OpenAsync(store, _vault, _clock, default))));
            Assert.Single(opened.Select(Token).Distinct());
            var text = opened[0].Protector.Seal("x", "y"u8);
            Assert.All(opened, keys => Assert.True(keys.Protector.TryOpen("x", text, out _)));
            Array.ForEach(opened, keys => keys.Dispose());
        }
    }

    [Fact]
    public async Task Open_Again_GivesTheSameKeys()
    {
        using var first = await OpenAsync(_vault);
        using var second = await OpenAsync(_vault);
        Assert.Equal(Token(first), Token(second));
        Assert.True(second.Protector.TryOpen("x", first.Protector.Seal("x", "y"u8), out var opened));
        Assert.Equal("y"u8.ToArray(), opened);
    }

    [Fact]
    public async Task Open_DifferentDatabases_HaveDifferentKeys()
    {
        using var here = await OpenAsync(_vault);
        using var there = await StoreKeys.OpenAsync(new InMemoryRecordStore(), _vault, _clock, default);
        Assert.NotEqual(Token(here), Token(there));
        Assert.False(there.Protector.TryOpen("x", here.Protector.Seal("x", "y"u8), out _));
    }

    [Fact]
    public async Task Open_WithAnotherRootKey_IsRefusedByName()
    {
        (await OpenAsync(_vault)).Dispose();
        var refused = await Assert.ThrowsAsync<WrongRootKeyException>(() => OpenAsync(new TestVault("other-root")).AsTask());
        Assert.Equal(("test-root", "other-root"), (refused.Expected, refused.Offered));
        Assert.Contains("test-root", refused.Message, StringComparison.Ordinal);
        Assert.Contains("other-root", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_WithAnotherKeyFile_IsRefused()
    {
        using var folder = new TempFolder();
        using var mine = FileKeyVault.Open(folder.File("a.key"), mayCreate: true);
        using var other = FileKeyVault.Open(folder.File("b.key"), mayCreate: true);
        (await StoreKeys.OpenAsync(_store, mine, _clock, default)).Dispose();
        await Assert.ThrowsAsync<WrongRootKeyException>(() => StoreKeys.OpenAsync(_store, other, _clock, default).AsTask());
        (await StoreKeys.OpenAsync(_store, mine, _clock, default)).Dispose();
    }

    [Fact]
    public async Task Open_WithAVaultThatLiesAboutItsKey_IsRefused()
    {
        (await OpenAsync(_vault)).Dispose();
        await Assert.ThrowsAsync<StoreCorruptException>(() => OpenAsync(new TestVault()).AsTask());
    }

    [Fact]
    public async Task Open_WhileTheVaultIsAway_IsUnavailableAndMakesNothing()
    {
        _vault.Away = true;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => OpenAsync(_vault).AsTask());
        Assert.False(await StoreKeys.ExistAsync(_store, default));
        _vault.Away = false;
        (await OpenAsync(_vault)).Dispose();
        Assert.True(await StoreKeys.ExistAsync(_store, default));
        _vault.Away = true;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => OpenAsync(_vault).AsTask());
    }

    [Fact]
    public async Task Open_ForAnotherTenantsName_IsRefused()
    {
        (await OpenAsync(_vault)).Dispose();
        await Assert.ThrowsAsync<StoreCorruptException>(
            () => StoreKeys.OpenAsync(_store, _vault, _clock, default, new() { Tenant = "other" }).AsTask());
    }

    [Fact]
    public async Task Open_WhereDataIsThereButItsKeysAreNot_IsRefusedAndMakesNone()
    {
        var record = new StoredRecord { Key = new("Patient", "a"), Version = 1, LastUpdated = _clock.GetUtcNow(), Partition = "a", Body = new byte[] { 1 } };
        await _store.CommitAsync(Commit.Of(new RecordWrite(record, 0, true, "create")), default);
        await Assert.ThrowsAsync<StoreCorruptException>(() => OpenAsync(_vault).AsTask());
        Assert.False(await StoreKeys.ExistAsync(_store, default));
    }

    [Fact]
    public async Task Open_WithAnyBitOfAnyKeyRecordFlipped_IsRefused()
    {
        (await OpenAsync(_vault)).Dispose();
        foreach (var id in KeyIds)
        {
            var original = await FindAsync(id);
            for (var bit = 0; bit < original.Body.Length * 8; bit++)
            {
                var altered = original.Body.ToArray();
                altered[bit / 8] ^= (byte)(1 << (bit % 8));
                await PutAsync(id, altered);
                var refused = await Record.ExceptionAsync(() => OpenAsync(_vault).AsTask());
                Assert.True(refused is StoreCorruptException or WrongRootKeyException, $"{id}, bit {bit}: {refused}");
            }
            await PutAsync(id, original.Body);
            (await OpenAsync(_vault)).Dispose();
        }
    }

    [Fact]
    public async Task Open_WithKeyRecordsSwapped_IsRefused()
    {
        (await OpenAsync(_vault)).Dispose();
        await PutAsync("protector", (await FindAsync("index-root")).Body);
        await Assert.ThrowsAsync<StoreCorruptException>(() => OpenAsync(_vault).AsTask());
    }

    [Theory]
    [InlineData("", 300, 1)]
    [InlineData("a b", 300, 1)]
    [InlineData("default", 301, 1)]
    [InlineData("default", 0, 1)]
    [InlineData("default", 300, 0)]
    public async Task Open_WithSettingsOutOfRange_IsRefused(string tenant, int seconds, int cachedKeys) =>
        await Assert.ThrowsAnyAsync<ArgumentException>(() => StoreKeys.OpenAsync(
            _store, _vault, _clock, default, new() { Tenant = tenant, KeyLifetime = TimeSpan.FromSeconds(seconds), CachedKeys = cachedKeys }).AsTask());

    private ValueTask<StoreKeys> OpenAsync(TestVault vault) => StoreKeys.OpenAsync(_store, vault, _clock, default);

    private async Task<StoredRecord> FindAsync(string id) =>
        await _store.GetAsync(new("_Key", id), default) ?? throw new InvalidOperationException($"No key record {id}.");

    private async Task PutAsync(string id, ReadOnlyMemory<byte> body)
    {
        var current = await FindAsync(id);
        var write = new RecordWrite(current with { Version = current.Version + 1, Body = body }, current.Version, false, "test");
        Assert.IsType<CommitResult.Done>(await _store.CommitAsync(Commit.Of(write), default));
    }

    private static string Token(StoreKeys keys)
    {
        var token = new byte[16];
        keys.IndexTokens.KeyFor("Patient/identifier").Token("4711", token);
        return Convert.ToHexString(token);
    }

    /// <summary>Lets others in between at every call, as an engine over a network does.</summary>
    private sealed class YieldingStore : IRecordStore
    {
        private readonly InMemoryRecordStore _inner = new();

        public async ValueTask<StoredRecord?> GetAsync(ResourceKey key, CancellationToken ct)
        {
            var found = await _inner.GetAsync(key, ct);
            await Task.Yield();
            return found;
        }

        public async Task<CommitResult> CommitAsync(Commit commit, CancellationToken ct)
        {
            await Task.Yield();
            return await _inner.CommitAsync(commit, ct);
        }

        public ValueTask<IReadOnlyList<ChangeRow>> ReadChangesAsync(long after, int limit, CancellationToken ct) => _inner.ReadChangesAsync(after, limit, ct);

        public ValueTask<StoredRecord?> GetVersionAsync(ResourceKey key, long version, CancellationToken ct) => _inner.GetVersionAsync(key, version, ct);

        public ValueTask<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct) => _inner.QueryAsync(query, ct);

        public ValueTask<long> CountAsync(string type, Predicate where, long atMost, CancellationToken ct) => _inner.CountAsync(type, where, atMost, ct);

        public ValueTask<HistoryPage> HistoryAsync(HistoryQuery query, CancellationToken ct) => _inner.HistoryAsync(query, ct);

        public ValueTask<long> StampAsync(string name, CancellationToken ct) => _inner.StampAsync(name, ct);

        public ValueTask DisposeAsync() => _inner.DisposeAsync();
    }
}
