namespace FhirServer.Bundles;

/// <summary>A batch or transaction as it was sent.</summary>
internal sealed record IncomingBundle(bool IsTransaction, IReadOnlyList<IncomingEntry> Entries);

/// <summary>One entry of it.</summary>
/// <param name="Resource">The bytes of the resource as they were sent; empty where there is none.</param>
internal sealed record IncomingEntry(int Index, string? FullUrl, ReadOnlyMemory<byte> Resource, EntryRequest Request)
{
    public string Location { get; } = $"Bundle.entry[{Index}]";
}

internal sealed record EntryRequest
{
    public string Method { get; set; } = "";

    public string Url { get; set; } = "";

    public string? IfMatch { get; set; }

    public string? IfNoneMatch { get; set; }

    public string? IfModifiedSince { get; set; }

    public string? IfNoneExist { get; set; }
}
