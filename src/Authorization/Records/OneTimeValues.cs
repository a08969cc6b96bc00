using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Sealed;

namespace Authorization.Records;

/// <summary>A value that may be used once: only that it was, and when nobody needs to know any more.</summary>
public sealed record UsedOnce(DateTimeOffset Until);

/// <summary>
/// Values that are good for one use in all processes together: the <c>jti</c> of an assertion, a launch. The record's id is a keyed hash
/// of the value, so creating it is the use, and of two that try one fails.
/// </summary>
public sealed class OneTimeValues(SealedRecords<UsedOnce> records, IndexTokens tokens, TimeProvider clock)
{
    public const string RecordType = "_UsedOnce";
    private const int HashLength = 32;
    private readonly Lazy<IndexTokenKey> _ids = new(() => tokens.KeyFor($"{RecordType}/id"));

    internal static void Add(UsedOnce used, IndexEntries.Builder entries) => EndsField.Add(entries, used.Until);

    /// <param name="purpose">Values of different purposes have nothing to do with each other.</param>
    /// <param name="until">From then on the value would be refused anyhow.</param>
    /// <returns>False when it has been used before.</returns>
    public Task<bool> TryUseAsync(string purpose, string value, DateTimeOffset until, CancellationToken ct) =>
        records.TryWriteAsync(IdOf(purpose, value), new(until), 0, null, ct);

    /// <returns>How many were forgotten because nobody needs to know any more.</returns>
    public async Task<long> SweepAsync(CancellationToken ct)
    {
        var removed = 0L;
        await foreach (var used in records.QueryAsync(EndsField.Before(clock.GetUtcNow()), ct))
        {
            removed += await records.TryRemoveAsync(used.Id, used.Version, ct) ? 1 : 0;
        }
        return removed;
    }

    private string IdOf(string purpose, string value)
    {
        Span<byte> hash = stackalloc byte[HashLength];
        _ids.Value.Token($"{purpose}\n{value}", hash);
        return Convert.ToHexStringLower(hash);
    }
}
