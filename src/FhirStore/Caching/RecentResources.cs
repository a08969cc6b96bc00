using System.Diagnostics.CodeAnalysis;
using FhirCore;
using FhirCore.Records;

namespace FhirStore.Caching;

/// <summary>
/// Resources read last, opened, as many as fit: a read that finds one here asks neither the engine nor a key. Only for the one process of
/// an engine: it rests on being told of every write before the write's caller is.
/// </summary>
/// <remarks>What was opened longer ago than a data key may be kept (docs/decisions/0010) is not shown any more.</remarks>
/// <param name="capacity">Bytes.</param>
/// <param name="longest">How long a resource may be shown without its key being looked at again.</param>
public sealed class RecentResources(long capacity, TimeSpan longest, TimeProvider clock) : IWriteListener
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

    private sealed record Opened(StoredResource Resource, long At);

    public bool TryGet(ResourceKey key, [NotNullWhen(true)] out StoredResource? resource)
    {
        resource = Volatile.Read(ref _map).Find(key) is { } opened && clock.GetElapsedTime(opened.At) < longest ? opened.Resource : null;
        return resource is not null;
    }

    /// <summary>To be taken before the store is read, and handed to <see cref="Put"/>.</summary>
    public long Mark(ResourceKey key) => Volatile.Read(ref StripeOf(key).Changes);

    /// <summary>Takes in what was read, unless its key has been written since the mark.</summary>
    public void Put(StoredResource resource, long mark)
    {
        ArgumentNullException.ThrowIfNull(resource);
        var stripe = StripeOf(resource.Key);
        lock (stripe.Gate)
        {
            if (stripe.Changes == mark)
            {
                _map.Put(resource.Key, new(resource, clock.GetTimestamp()), resource.Json.Length + 2 * (resource.Key.Type.Length + resource.Key.Id.Length));
            }
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

    private Stripe StripeOf(ResourceKey key) => _stripes[(uint)key.GetHashCode() % Stripes];
}
