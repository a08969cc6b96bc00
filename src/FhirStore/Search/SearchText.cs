namespace FhirStore.Search;

/// <summary>Separators and escapes of search values, https://hl7.org/fhir/R4/search.html#escaping.</summary>
internal static class SearchText
{
    /// <summary>Splits at separators that no backslash stands before; escapes stay.</summary>
    public static List<string> Split(string text, char separator, int atMost = int.MaxValue)
    {
        var parts = new List<string>(1);
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == separator && parts.Count + 1 < atMost)
            {
                parts.Add(text[start..i]);
                start = i + 1;
            }
        }
        parts.Add(start == 0 ? text : text[start..]);
        return parts;
    }

    public static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
        {
            return text;
        }
        var plain = new System.Text.StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 1 < text.Length)
            {
                i++;
            }
            plain.Append(text[i]);
        }
        return plain.ToString();
    }
}
