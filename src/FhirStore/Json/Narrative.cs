namespace FhirStore.Json;

/// <summary>XHTML of a narrative, https://hl7.org/fhir/R4/narrative.html#xhtml.</summary>
internal static class Narrative
{
    /// <returns>Null where it is right, else what is allowed.</returns>
    public static string? Wrong(ReadOnlySpan<byte> text)
    {
        var start = text.TrimStart(" \t\r\n"u8);
        return start.StartsWith("<div"u8) && start.Length > 4 && start[4] is (byte)' ' or (byte)'>' or (byte)'\n' or (byte)'\t' or (byte)'\r' or (byte)'/'
            ? null
            : "is one XHTML div element";
    }
}
