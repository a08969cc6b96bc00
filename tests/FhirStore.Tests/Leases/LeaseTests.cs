using CsCheck;
using FhirCore.Records;
using FhirStore.Leases;
using Microsoft.Extensions.Time.Testing;
using Storage.Contract;

namespace FhirStore.Tests.Leases;

public sealed class LeaseTests
{
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(15);

    private readonly InMemoryRecordStore _store = new();
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task Free_TheFirstTakesIt_TheSecondWaits()
    {
        var (first, second) = (NewLease(), NewLease());
        Assert.True(await first.TryHoldAsync(default));
        Assert.False(await second.TryHoldAsync(default));
        Assert.True(first.IsOwned);
        Assert.False(second.IsOwned);
    }

    [Fact]
    public async Task DeadOwner_IsReplacedAfterTheWholeLeaseTime_NotBefore()
    {
        var (dead, heir) = (NewLease(), NewLease());
        await dead.TryHoldAsync(default);
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.False(await heir.TryHoldAsync(default)); // begins to watch
        _clock.Advance(Time - TimeSpan.FromMilliseconds(1));
        Assert.False(await heir.TryHoldAsync(default));
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(await heir.TryHoldAsync(default));
    }

    [Fact]
    public async Task RenewingOwner_KeepsIt_AndWhoDoesNotRenewStopsAtTwoThirds()
    {
        var (owner, other) = (NewLease(), NewLease());
        await owner.TryHoldAsync(default);
        for (var i = 0; i < 20; i++)
        {
            _clock.Advance(owner.RenewEvery);
            Assert.True(await owner.TryHoldAsync(default));
            Assert.False(await other.TryHoldAsync(default));
        }
        _clock.Advance((Time * 2 / 3) - TimeSpan.FromMilliseconds(1));
        Assert.True(owner.IsOwned);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.False(owner.IsOwned);
    }

    [Fact]
    public async Task Release_LetsAnotherInAtOnce()
    {
        var (first, second) = (NewLease(), NewLease());
        await first.TryHoldAsync(default);
        Assert.False(await second.TryHoldAsync(default));
        await first.ReleaseAsync(default);
        Assert.False(first.IsOwned);
        Assert.True(await second.TryHoldAsync(default));
        await first.ReleaseAsync(default); // not its own any more
        Assert.True(await second.TryHoldAsync(default));
    }

    [Fact]
    public async Task ClocksOfDifferentYears_MakeNoDifference()
    {
        var behind = new FakeTimeProvider(new DateTimeOffset(2001, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var (owner, other) = (NewLease(), new Lease(_store, "job", Time, behind));
        await owner.TryHoldAsync(default);
        Assert.False(await other.TryHoldAsync(default));
        _clock.Advance(owner.RenewEvery);
        await owner.TryHoldAsync(default);
        behind.Advance(Time);
        Assert.False(await other.TryHoldAsync(default)); // renewed meanwhile: the watch begins anew
        behind.Advance(Time);
        Assert.True(await other.TryHoldAsync(default));
    }

    [Fact]
    public async Task RenewalWhoseAnswerIsLost_CountsFromTheOneBefore()
    {
        var stepped = new SteppedStore(_store);
        var owner = new Lease(stepped, "job", Time, _clock);
        var taking = owner.TryHoldAsync(default);
        stepped.Answer(0); // nobody has it
        stepped.Answer(0); // taken
        Assert.True(await taking);
        _clock.Advance(owner.RenewEvery);
        var renewing = owner.TryHoldAsync(default);
        stepped.CarryOut(0);
        stepped.Fail(0);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => renewing);
        Assert.Equal(Time / 3, owner.Left);
        var again = owner.TryHoldAsync(default);
        stepped.Answer(0); // it is its own
        stepped.Answer(0);
        Assert.True(await again);
        Assert.Equal(Time * 2 / 3, owner.Left);
    }

    [Fact]
    public async Task DamagedRecord_IsSaid()
    {
        var record = new StoredRecord { Key = new("_Lease", "job"), Version = 1, LastUpdated = _clock.GetUtcNow(), Partition = "job", Body = new byte[] { 9 } };
        await _store.CommitAsync(Commit.Of(new RecordWrite(record, 0, false, "test")), default);
        await Assert.ThrowsAsync<StoreCorruptException>(() => NewLease().TryHoldAsync(default));
    }

    /// <summary>
    /// Holders whose calls are held up, fail before or after they were carried out, that pause for any time or die. However it goes: never
    /// two owners; and once calls are answered again, one owner within two lease times.
    /// </summary>
    [Fact]
    public void AnyInterleaving_NeverTwoOwners_AndAlwaysOneAgain() => Gen.Select(Gen.Int[0, 99], Gen.Int[0, 99]).Array[20, 300].Sample(steps =>
    {
        var house = new LeaseHouse(holders: 4, Time);
        foreach (var (action, which) in steps)
        {
            house.Do(action, which);
            if (house.Owners > 1)
            {
                return false;
            }
        }
        return house.HasOneOwnerWithin(Time * 2);
    }, iter: 3000);

    /// <summary>The property above is of no worth where nothing ever happens.</summary>
    [Fact]
    public void Interleavings_HaveOwnersThatChange()
    {
        var random = new Random(80);
        var changes = 0;
        for (var run = 0; run < 50; run++)
        {
            var house = new LeaseHouse(4, Time);
            for (var step = 0; step < 300; step++)
            {
                house.Do(random.Next(100), random.Next(100));
            }
            changes += house.Changes;
        }
        Assert.True(changes > 50, $"{changes} changes of the owner");
    }

    private Lease NewLease() => new(_store, "job", Time, _clock);
}
