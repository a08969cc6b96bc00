using System.Collections.Concurrent;

namespace FhirStore.Caching;

/// <summary>
/// Entries up to a number of bytes. When they are more, those go that nobody has used since they were looked at last: a clock's
/// hand goes round, which comes near to "least recently used" and costs a reader nothing but a flag.
/// </summary>
/// <param name="mostBytes">As the callers of <see cref="Put"/> count them.</param>
internal sealed class BoundedMap<TKey, TValue>(long mostBytes)
    where TKey : notnull
    where TValue : class
{
    /// <summary>What an entry costs beside its key and value, roughly.</summary>
    public const int EntryOverhead = 200;

    private readonly ConcurrentDictionary<TKey, Node> _nodes = new();
    private readonly LinkedList<Node> _ring = new();
    private readonly Lock _lock = new();
    private long _bytes;

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _ring.Count;
            }
        }
    }

    public long Bytes => Volatile.Read(ref _bytes);

    public TValue? Find(TKey key)
    {
        if (!_nodes.TryGetValue(key, out var node))
        {
            return null;
        }
        node.Touched = true;
        return node.Value;
    }

    /// <summary>Puts the value in the place of the one before. One that would take more than a quarter of the room is not kept.</summary>
    /// <param name="bytes">Of key and value; the entry's own cost is added.</param>
    public void Put(TKey key, TValue value, long bytes)
    {
        bytes += EntryOverhead;
        lock (_lock)
        {
            if (bytes > mostBytes / 4)
            {
                Drop(key);
                return;
            }
            if (_nodes.TryGetValue(key, out var node))
            {
                _bytes += bytes - node.Bytes;
                (node.Value, node.Bytes, node.Touched) = (value, bytes, true);
            }
            else
            {
                node = new() { Key = key, Value = value, Bytes = bytes };
                node.Place = _ring.AddLast(node);
                _nodes[key] = node;
                _bytes += bytes;
            }
            while (_bytes > mostBytes)
            {
                TurnHand();
            }
        }
    }

    public void Remove(TKey key)
    {
        lock (_lock)
        {
            Drop(key);
        }
    }

    /// <summary>Removes the entry only while it still holds this value.</summary>
    public void Remove(TKey key, TValue value)
    {
        lock (_lock)
        {
            if (_nodes.TryGetValue(key, out var node) && ReferenceEquals(node.Value, value))
            {
                Drop(key);
            }
        }
    }

    private void Drop(TKey key)
    {
        if (_nodes.TryRemove(key, out var node))
        {
            _ring.Remove(node.Place!);
            _bytes -= node.Bytes;
        }
    }

    // Ends: each turn drops an entry or clears one's flag, and only readers set flags again.
    private void TurnHand()
    {
        var place = _ring.First!;
        if (!place.Value.Touched)
        {
            Drop(place.Value.Key);
            return;
        }
        place.Value.Touched = false;
        _ring.Remove(place);
        _ring.AddLast(place);
    }

    private sealed class Node
    {
        public required TKey Key;
        public volatile TValue? Value;
        public volatile bool Touched;
        public long Bytes;
        public LinkedListNode<Node>? Place;
    }
}
