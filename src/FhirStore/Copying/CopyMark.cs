using System.Globalization;
using System.Text;
using FhirCore;
using FhirCore.Records;

namespace FhirStore.Copying;

/// <summary>How far a copy has come, as the target keeps it: what was copied is counted and summed so far, so that a resumed copy can still be verified.</summary>
/// <param name="Source">Which store it comes from.</param>
/// <param name="LogEnd">Where the source's log ended when the copy began.</param>
internal sealed record CopyMark(string Source, long LogEnd, StorePosition Position, string Journal, string Records, DateTimeOffset Began)
{
    private const string Format = "fhir store copy 1";

    public StoreRow Row => new StoreRow.Current(
        new()
        {
            Key = IStoreCopy.MarkKey,
            Version = 1,
            LastUpdated = Began,
            Partition = IStoreCopy.MarkKey.Id,
            Body = Encoding.UTF8.GetBytes(string.Join('\n', Format, Source, LogEnd.ToString(CultureInfo.InvariantCulture), PositionText, Journal, Records)),
        },
        Sequence: 0);

    private string PositionText => Position.Key is { } key ? key.ToString() : Position.Sequence.ToString(CultureInfo.InvariantCulture);

    /// <exception cref="StoreCorruptException">These are not the bytes of a mark.</exception>
    public static CopyMark Read(StoredRecord record)
    {
        var lines = Encoding.UTF8.GetString(record.Body.Span).Split('\n');
        return lines is [Format, var source, var end, var position, var journal, var records]
            && long.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out var logEnd)
            ? new(source, logEnd, ReadPosition(position), journal, records, record.LastUpdated)
            : throw new StoreCorruptException("The mark of a copy cannot be read. Empty the target and copy again.");
    }

    private static StorePosition ReadPosition(string text)
    {
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence))
        {
            return new(sequence, null);
        }
        var slash = text.IndexOf('/', StringComparison.Ordinal); // internal types are no references, so ResourceKey.TryParse will not do
        return new(long.MaxValue, new(text[..slash], text[(slash + 1)..]));
    }
}
