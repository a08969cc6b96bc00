using System.Buffers.Binary;
using System.Collections.Concurrent;
using Authorization.Access;

namespace Authorization.Tokens;

/// <summary>SHA-256 of a token: enough to know it again, no use to who reads the memory.</summary>
internal readonly record struct TokenHash(ulong A, ulong B, ulong C, ulong D)
{
    public static TokenHash From(ReadOnlySpan<byte> sha256) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(sha256),
        BinaryPrimitives.ReadUInt64LittleEndian(sha256[8..]),
        BinaryPrimitives.ReadUInt64LittleEndian(sha256[16..]),
        BinaryPrimitives.ReadUInt64LittleEndian(sha256[24..]));

    public override int GetHashCode() => A.GetHashCode();
}

/// <summary>
/// Verified tokens. Bounded: when one half is full the older half is dropped, so what is in use stays and what is not goes,
/// without a list to keep in order on every hit.
/// </summary>
internal sealed class GrantCache(int capacity)
{
    private readonly int _half = Math.Max(1, capacity / 2);
    private Half _young = new();
    private Half _old = new();

    public int Count => Volatile.Read(ref _young).Entries.Count + Volatile.Read(ref _old).Entries.Count;

    /// <returns>Null where the token is unknown, or must be verified again.</returns>
    public Grant? Find(in TokenHash token, DateTimeOffset now)
    {
        if (!Volatile.Read(ref _young).Entries.TryGetValue(token, out var entry))
        {
            if (!Volatile.Read(ref _old).Entries.TryGetValue(token, out entry))
            {
                return null;
            }
            if (now < entry.Until)
            {
                Put(token, entry);
            }
        }
        return now < entry.Until ? entry.Grant : null;
    }

    public void Put(in TokenHash token, Grant grant, DateTimeOffset until) => Put(token, new Entry(grant, until));

    private void Put(in TokenHash token, Entry entry)
    {
        var young = Volatile.Read(ref _young);
        if (!young.Entries.TryAdd(token, entry))
        {
            young.Entries[token] = entry;
        }
        // Whoever finds it full turns over, so that it cannot grow while the one who filled it is held up.
        else if (Interlocked.Increment(ref young.Added) >= _half && Interlocked.CompareExchange(ref _young, new(), young) == young)
        {
            Volatile.Write(ref _old, young);
        }
    }

    private sealed record Entry(Grant Grant, DateTimeOffset Until);

    private sealed class Half
    {
        public readonly ConcurrentDictionary<TokenHash, Entry> Entries = new();

        /// <summary>Counted apart: the dictionary's own count takes every lock it has.</summary>
        public int Added;
    }
}
