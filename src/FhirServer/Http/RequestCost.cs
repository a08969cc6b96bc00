namespace FhirServer.Http;

/// <summary>What the request under way costs: a record that the store hands over counts one, one that it takes counts ten.</summary>
internal sealed class RequestCost
{
    private const int Written = 10;
    private static readonly AsyncLocal<RequestCost?> UnderWay = new();

    private long _records;

    /// <summary>From here on, for what is done on behalf of this caller's caller only.</summary>
    public static RequestCost Begin() => UnderWay.Value = new();

    public static void Read(int records)
    {
        if (UnderWay.Value is { } cost)
        {
            Interlocked.Add(ref cost._records, records);
        }
    }

    public static void Write(int records) => Read(records * Written);

    /// <returns>What has come up since it was asked last.</returns>
    public long Take() => Interlocked.Exchange(ref _records, 0);
}
