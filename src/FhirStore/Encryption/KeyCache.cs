using System.Security.Cryptography;

namespace FhirStore.Encryption;

/// <summary>
/// Unwrapped keys for a short time: bounded, the least recently used goes first, a key's bytes are wiped when it leaves.
/// Callers get copies made under the lock, never the bytes themselves, so no one can work with a key that is being wiped.
/// </summary>
internal sealed class KeyCache : IDisposable
{
    private const int None = -1;

    private readonly Lock _gate = new();
    private readonly Dictionary<UInt128, int> _slots = [];
    private readonly Slot[] _ring;
    private readonly byte[] _keys; // pinned: the collector leaves no copies behind
    private readonly TimeProvider _clock;
    private readonly TimeSpan _usable;
    private readonly ITimer _sweeper;
    private int _newest = None;
    private int _oldest = None;
    private int _free = None;
    private int _used;
    private bool _disposed;

    /// <param name="lifetime">No key's bytes are kept longer than this.</param>
    public KeyCache(int capacity, TimeSpan lifetime, TimeProvider clock)
    {
        _ring = new Slot[capacity];
        _keys = GC.AllocateArray<byte>(capacity * MessageCipher.KeySize, pinned: true);
        _clock = clock;
        var period = lifetime / 10;
        _usable = lifetime - period; // so the sweep that finds it expired still comes within the lifetime
        _sweeper = clock.CreateTimer(static cache => ((KeyCache)cache!).Sweep(), this, period, period);
    }

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _slots.Count;
            }
        }
    }

    /// <param name="epoch">Wanted epoch; 0 takes the one that is there.</param>
    /// <param name="key">Receives a copy, to be wiped by the caller.</param>
    public bool TryCopy(UInt128 id, int epoch, Span<byte> key, out int found)
    {
        lock (_gate)
        {
            if (_slots.TryGetValue(id, out var slot))
            {
                ref var entry = ref _ring[slot];
                if (_clock.GetElapsedTime(entry.Since) >= _usable)
                {
                    Drop(slot);
                }
                else if (epoch == 0 || entry.Epoch == epoch)
                {
                    KeyAt(slot).CopyTo(key);
                    found = entry.Epoch;
                    if (_newest != slot)
                    {
                        Unlink(slot);
                        LinkNewest(slot);
                    }
                    return true;
                }
            }
        }
        found = 0;
        return false;
    }

    /// <summary>Keeps a key, unless a later epoch of it is kept already.</summary>
    public void Put(UInt128 id, int epoch, ReadOnlySpan<byte> key)
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }
            if (_slots.TryGetValue(id, out var slot))
            {
                if (_ring[slot].Epoch > epoch)
                {
                    return;
                }
                Drop(slot);
            }
            if (_slots.Count == _ring.Length)
            {
                Drop(_oldest);
            }
            slot = TakeFree();
            _ring[slot] = new() { Id = id, Epoch = epoch, Since = _clock.GetTimestamp() };
            key.CopyTo(KeyAt(slot));
            _slots.Add(id, slot);
            LinkNewest(slot);
        }
    }

    public void Dispose()
    {
        _sweeper.Dispose();
        lock (_gate)
        {
            _disposed = true;
            _slots.Clear();
            _newest = _oldest = None;
            CryptographicOperations.ZeroMemory(_keys);
        }
    }

    /// <summary>For tests: whether any byte of a key is left in memory.</summary>
    internal bool IsWiped()
    {
        lock (_gate)
        {
            return !_keys.AsSpan().ContainsAnyExcept((byte)0);
        }
    }

    private void Sweep()
    {
        lock (_gate)
        {
            for (var slot = _oldest; slot != None;)
            {
                var newer = _ring[slot].Newer;
                if (_clock.GetElapsedTime(_ring[slot].Since) >= _usable)
                {
                    Drop(slot);
                }
                slot = newer;
            }
        }
    }

    private Span<byte> KeyAt(int slot) => _keys.AsSpan(slot * MessageCipher.KeySize, MessageCipher.KeySize);

    private int TakeFree()
    {
        if (_free == None)
        {
            return _used++;
        }
        var slot = _free;
        _free = _ring[slot].Older;
        return slot;
    }

    private void Drop(int slot)
    {
        CryptographicOperations.ZeroMemory(KeyAt(slot));
        Unlink(slot);
        _slots.Remove(_ring[slot].Id);
        _ring[slot] = new() { Older = _free };
        _free = slot;
    }

    private void LinkNewest(int slot)
    {
        ref var entry = ref _ring[slot];
        entry.Newer = None;
        entry.Older = _newest;
        if (_newest == None)
        {
            _oldest = slot;
        }
        else
        {
            _ring[_newest].Newer = slot;
        }
        _newest = slot;
    }

    private void Unlink(int slot)
    {
        var (older, newer) = (_ring[slot].Older, _ring[slot].Newer);
        if (older == None)
        {
            _oldest = newer;
        }
        else
        {
            _ring[older].Newer = newer;
        }
        if (newer == None)
        {
            _newest = older;
        }
        else
        {
            _ring[newer].Older = older;
        }
    }

    private struct Slot
    {
        public UInt128 Id;
        public long Since;
        public int Epoch;
        public int Older;
        public int Newer;
    }
}
