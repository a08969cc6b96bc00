using System.Diagnostics.CodeAnalysis;
using FhirCore;
using FhirCore.Records;

namespace FhirStore.Caching;

/// <summary>
/// Resources read or found last, opened, as many as fit. A read that finds one here asks neither the engine nor a key; that rests on being
/// told of every write before the write's caller is. A search, which has its records from the engine, saves the opening of those whose
/// bytes are still the ones that were opened; for that nobody need tell of anything.
/// </summary>
/// <remarks>What was opened longer ago than a data key may be kept (docs/decisions/0010) is not shown any more.</remarks>
/// <param name="capacity">Bytes.</param>
/// <param name="longest">How long a resource may be shown without its key being looked at again.</param>
/// <param name="isToldOfWrites">Whether the engine tells of every write. Where other processes write too it cannot, and reads find nothing here.</param>
public sealed class RecentResources(long capacity, TimeSpan longest, bool isToldOfWrites, TimeProvider clock) : IWriteListener
{
    private const int Stripes = 256;

    private readonly Stripe[] _stripes = [.. Enumerable.Range(0, Stripes).Select(_ => new Stripe())];
    private BoundedMap<ResourceKey, Opened> _map = new(capacity);

    /// <summary>How often any key of a stripe has changed; its lock lets no resource in while that is counted.</summary>
    private sealed class Stripe
    {
        public readonly Lock Gate = new();
        public long Changes;
    }

    /// <param name="Body">The sealed bytes it was opened from.</param>
    /// <param name="IsCurrent">No write has come after it.</param>
    private sealed record Opened(StoredResource Resource, byte[] Body, bool IsCurrent, long At);

    /// <summary>The current version, a tombstone included.</summary>
    public bool TryGet(ResourceKey key, [NotNullWhen(true)] out StoredResource? resource)
    {
        resource = Find(key) is { IsCurrent: true } opened ? opened.Resource : null;
        return resource is not null;
    }

    /// <summary>What the record would be opened to. Its index entries are not looked at.</summary>
    public bool TryOpen(StoredRecord record, out ReadOnlyMemory<byte> json)
    {
        ArgumentNullException.ThrowIfNull(record);
        var found = Find(record.Key) is { } opened && IsOf(opened, record) ? opened : null;
        json = found is null ? default : found.Resource.Json;
        return found is not null;
    }

    /// <summary>To be taken before the store is read, and handed to <see cref="Put"/>.</summary>
    public long Mark(ResourceKey key) => Volatile.Read(ref StripeOf(key).Changes);

    /// <summary>Takes in what a record read from the store was opened to, unless its key has been written since the mark.</summary>
    public void Put(StoredRecord record, StoredResource resource, long mark)
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentNullException.ThrowIfNull(resource);
        if (!isToldOfWrites)
        {
            Keep(record, resource);
            return;
        }
        var stripe = StripeOf(resource.Key);
        lock (stripe.Gate)
        {
            if (stripe.Changes == mark)
            {
                Put(record, resource, isCurrent: true);
            }
        }
    }

    /// <summary>Takes in what a record that a search has found was opened to; it may have been written since.</summary>
    public void Keep(StoredRecord record, StoredResource resource)
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentNullException.ThrowIfNull(resource);
        if (Find(record.Key) is not { } opened || !(opened.IsCurrent || IsOf(opened, record)))
        {
            Put(record, resource, isCurrent: false);
        }
    }

    public void Written(ResourceKey key)
    {
        var stripe = StripeOf(key);
        lock (stripe.Gate)
        {
            Volatile.Write(ref stripe.Changes, stripe.Changes + 1);
            _map.Remove(key);
        }
    }

    public void AnythingWritten()
    {
        foreach (var stripe in _stripes)
        {
            stripe.Gate.Enter();
        }
        try
        {
            foreach (var stripe in _stripes)
            {
                Volatile.Write(ref stripe.Changes, stripe.Changes + 1);
            }
            Volatile.Write(ref _map, new(capacity));
        }
        finally
        {
            foreach (var stripe in _stripes)
            {
                stripe.Gate.Exit();
            }
        }
    }

    private Opened? Find(ResourceKey key) => Volatile.Read(ref _map).Find(key) is { } opened && clock.GetElapsedTime(opened.At) < longest ? opened : null;

    private static bool IsOf(Opened opened, StoredRecord record) =>
        opened.Resource.Version == record.Version && opened.Resource.LastUpdated == record.LastUpdated && !opened.Resource.Deleted && !record.Deleted
        && record.Body.Span.SequenceEqual(opened.Body);

    private void Put(StoredRecord record, StoredResource resource, bool isCurrent)
    {
        var map = Volatile.Read(ref _map);
        // What came from here was not opened anew: no key was looked at.
        var at = map.Find(record.Key) is { } known && !resource.Deleted && known.Resource.Json.Equals(resource.Json) ? known.At : clock.GetTimestamp();
        map.Put(
            record.Key, new(resource, record.Body.ToArray(), isCurrent, at),
            resource.Json.Length + record.Body.Length + 2 * (record.Key.Type.Length + record.Key.Id.Length));
    }

    private Stripe StripeOf(ResourceKey key) => _stripes[(uint)key.GetHashCode() % Stripes];
}
