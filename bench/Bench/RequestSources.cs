using System.Buffers.Text;

namespace Bench;

/// <summary>Goes round a list, each connection from its own place.</summary>
internal sealed class Cycle(byte[][] requests, int start) : IRequestSource
{
    private int _next = start % requests.Length;

    public bool TryNext(out ReadOnlyMemory<byte> request)
    {
        request = requests[_next];
        _next = _next + 1 == requests.Length ? 0 : _next + 1;
        return true;
    }

    public void Answered(int status)
    {
        // Load counts them.
    }
}

/// <summary>Each request of a list once, whichever connection comes first.</summary>
internal sealed class Once(IReadOnlyList<byte[]> requests)
{
    private int _next;

    public IRequestSource Source() => new Part(this);

    private sealed class Part(Once whole) : IRequestSource
    {
        public bool TryNext(out ReadOnlyMemory<byte> request)
        {
            var at = Interlocked.Increment(ref whole._next) - 1;
            request = at < whole.Count ? whole.At(at) : default;
            return at < whole.Count;
        }

        public void Answered(int status)
        {
            // Load counts them.
        }
    }

    private int Count => requests.Count;

    private byte[] At(int index) => requests[index];
}

/// <summary>One request with a number of eight digits that is another every time, in all the places where the template has it.</summary>
internal sealed class Numbered : IRequestSource
{
    private const int Digits = 8;
    private static int _last;
    private readonly byte[] _request;
    private readonly int[] _places;

    public Numbered(ReadOnlySpan<byte> template, ReadOnlySpan<byte> placeholder)
    {
        _request = template.ToArray();
        var places = new List<int>();
        for (var at = 0; template[at..].IndexOf(placeholder) is var found and >= 0; at += found + Digits)
        {
            places.Add(at + found);
        }
        _places = [.. places];
    }

    public bool TryNext(out ReadOnlyMemory<byte> request)
    {
        var number = Interlocked.Increment(ref _last);
        foreach (var place in _places)
        {
            Utf8Formatter.TryFormat(number, _request.AsSpan(place, Digits), out _, new('D', Digits));
        }
        request = _request;
        return true;
    }

    public void Answered(int status)
    {
        // Load counts them.
    }
}

/// <summary>Every request of the list, in an order of this connection's own.</summary>
internal sealed class Shuffled : IRequestSource
{
    private readonly byte[][] _requests;
    private int _next;

    public Shuffled(IEnumerable<byte[][]> rounds, int seed)
    {
        var random = new Random(seed);
        _requests = [.. rounds.SelectMany(round =>
        {
            var copy = (byte[][])round.Clone();
            random.Shuffle(copy);
            return copy;
        })];
    }

    public bool TryNext(out ReadOnlyMemory<byte> request)
    {
        var more = _next < _requests.Length;
        request = more ? _requests[_next++] : default;
        return more;
    }

    public void Answered(int status)
    {
        // Load counts them.
    }
}
