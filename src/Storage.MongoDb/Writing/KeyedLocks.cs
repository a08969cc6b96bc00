namespace Storage.MongoDb.Writing;

/// <summary>
/// Lets commits of this process that want the same record or claim go one after another, instead of aborting each other at the server. A fixed
/// number of locks stands for all names, so that unrelated names now and then share one.
/// </summary>
internal sealed class KeyedLocks : IDisposable
{
    private const int Count = 2048;

    private readonly SemaphoreSlim[] _locks = [.. Enumerable.Range(0, Count).Select(_ => new SemaphoreSlim(1, 1))];

    /// <summary>Always taken in ascending order, so that no two wait for each other.</summary>
    public async Task<Held> EnterAsync(IEnumerable<string> names, CancellationToken ct)
    {
        var wanted = names.Select(n => (int)((uint)n.GetHashCode(StringComparison.Ordinal) % Count)).Distinct().Order().ToArray();
        var waited = false;
        for (var i = 0; i < wanted.Length; i++)
        {
            var one = _locks[wanted[i]];
            try
            {
                if (!await one.WaitAsync(TimeSpan.Zero, CancellationToken.None).ConfigureAwait(false))
                {
                    waited = true;
                    await one.WaitAsync(ct).ConfigureAwait(false);
                }
            }
            catch
            {
                Release(wanted.AsSpan(0, i));
                throw;
            }
        }
        return new(this, wanted, waited);
    }

    public void Dispose() => Array.ForEach(_locks, l => l.Dispose());

    private void Release(ReadOnlySpan<int> held)
    {
        foreach (var i in held)
        {
            _locks[i].Release();
        }
    }

    /// <param name="Waited">Somebody else had one of them: what was true before may be so no more.</param>
    public readonly record struct Held(KeyedLocks Locks, int[] Wanted, bool Waited) : IDisposable
    {
        public void Dispose() => Locks.Release(Wanted);
    }
}
