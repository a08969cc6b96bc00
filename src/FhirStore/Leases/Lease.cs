using System.Security.Cryptography;
using FhirCore;
using FhirCore.Records;

namespace FhirStore.Leases;

/// <summary>
/// One process's side of the right to do one job, kept as a record that is only ever written at the version that was read. At any
/// moment at most one process finds <see cref="IsOwned"/> true.
/// </summary>
/// <remarks>
/// No wall clock is compared. An owner counts from the moment before it sent its last successful write, and stops at two thirds of
/// the lease time. Another takes over only when it has seen one version stand for the whole lease time, counted from the moment after
/// it first read that version: the owner's count began earlier than that. A third of the lease time is left for clocks that run at
/// different speeds and for a job that is slow to stop. Not for use by several callers at once.
/// </remarks>
public sealed class Lease
{
    private const long Unknown = -1;

    private readonly IRecordStore _records;
    private readonly ResourceKey _key;
    private readonly TimeSpan _time;
    private readonly TimeProvider _clock;
    private readonly byte[] _holder = RandomNumberGenerator.GetBytes(LeaseRecord.HolderLength);
    private long _version = Unknown;
    private long _seenSince;
    private long _ownedSince;
    private bool _owned;
    private bool _mayBeOurs;

    /// <param name="job">Id of the record: letters, digits, '-' and '.'.</param>
    /// <param name="time">How long others wait after the owner's last sign of life.</param>
    public Lease(IRecordStore records, string job, TimeSpan time, TimeProvider clock)
    {
        _records = records;
        _key = new(LeaseRecord.RecordType, job);
        _time = time;
        _clock = clock;
    }

    /// <summary>Whether this process may do the job at this moment.</summary>
    public bool IsOwned => Left > TimeSpan.Zero;

    /// <summary>How much longer, without another renewal; zero where it is not owned.</summary>
    public TimeSpan Left
    {
        get
        {
            if (!_owned)
            {
                return TimeSpan.Zero;
            }
            var left = (_time * 2 / 3) - _clock.GetElapsedTime(_ownedSince);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>How often an owner calls <see cref="TryHoldAsync"/>.</summary>
    public TimeSpan RenewEvery => _time / 3;

    /// <summary>How often everybody else does, and an owner whose last call failed.</summary>
    public TimeSpan LookEvery => _time / 15;

    /// <summary>Renews what is owned, takes what is free, and otherwise looks whether its owner still lives.</summary>
    /// <returns>Whether it is owned now.</returns>
    /// <exception cref="StoreUnavailableException">Nothing is known; what was owned stays so until its time is over.</exception>
    public async Task<bool> TryHoldAsync(CancellationToken ct)
    {
        if (_owned && _version != Unknown && await TryWriteAsync(_version, held: true, ct))
        {
            return IsOwned;
        }
        var record = await _records.GetAsync(_key, ct);
        var version = record?.Version ?? 0;
        if (!IsFree(record) && !IsOurs(record))
        {
            _owned = _mayBeOurs = false;
            if (version != _version)
            {
                _version = version;
                _seenSince = _clock.GetTimestamp(); // after the read: its owner's count began before this
                return false;
            }
            if (_clock.GetElapsedTime(_seenSince) < _time)
            {
                return false;
            }
        }
        return await TryWriteAsync(version, held: true, ct) && IsOwned;
    }

    /// <summary>Lets another take over at once. To be called when the job has ended, not before.</summary>
    /// <exception cref="StoreUnavailableException">Others wait for the lease time.</exception>
    public async Task ReleaseAsync(CancellationToken ct)
    {
        _owned = false;
        while (_mayBeOurs)
        {
            var record = await _records.GetAsync(_key, ct); // a write whose answer never came may have moved it
            _mayBeOurs = IsOurs(record) && !await TryWriteAsync(record!.Version, held: false, ct);
        }
    }

    private bool IsOurs(StoredRecord? record) => LeaseRecord.HolderOf(record).SequenceEqual(_holder);

    private static bool IsFree(StoredRecord? record) => LeaseRecord.HolderOf(record).IsEmpty;

    private async Task<bool> TryWriteAsync(long expected, bool held, CancellationToken ct)
    {
        var sent = _clock.GetTimestamp();
        _version = Unknown; // until the answer comes
        _mayBeOurs |= held;
        if (await _records.CommitAsync(Commit.Of(LeaseRecord.Write(_key, expected, _holder, held, _clock)), ct) is not CommitResult.Done)
        {
            return false;
        }
        if (held)
        {
            _version = expected + 1;
            _ownedSince = sent;
        }
        _owned = held;
        return true;
    }
}
