using System.Text;

namespace FhirStore.Indexing;

/// <summary>
/// The form in which string parameters compare: case folded, decomposed, without combining marks
/// (https://hl7.org/fhir/R4/search.html#string: case- and accent-insensitive). White space and punctuation stay.
/// </summary>
public static class TextFolding
{
    private const char FirstHangul = '\uAC00';
    private const char LastHangul = '\uD7A3';

    public static string Fold(string text)
    {
        var i = 0;
        while (i < text.Length && IsFolded(text[i]))
        {
            i++;
        }
        return i == text.Length ? text : FoldFrom(text, i);
    }

    private static bool IsFolded(char c) => c is < 'A' or (> 'Z' and < (char)0x80);

    private static string FoldFrom(string text, int start)
    {
        var folded = new StringBuilder(text.Length + 8);
        folded.Append(text, 0, start);
        for (var i = start; i < text.Length; i++)
        {
            var c = text[i];
            if (c < 0x80)
            {
                folded.Append(char.ToLowerInvariant(c));
            }
            else if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                folded.Append(Rune.ToLowerInvariant(new Rune(c, text[++i])).ToString());
            }
            else if (c is >= FirstHangul and <= LastHangul)
            {
                AppendJamo(folded, c - FirstHangul);
            }
            else if (FoldingTable.Find(c) is { } mapped)
            {
                folded.Append(mapped);
            }
            else
            {
                folded.Append(c);
            }
        }
        return folded.ToString();
    }

    // Unicode 3.12, Hangul syllable decomposition.
    private static void AppendJamo(StringBuilder folded, int syllable)
    {
        folded.Append((char)(0x1100 + (syllable / 588))).Append((char)(0x1161 + (syllable % 588 / 28)));
        if (syllable % 28 != 0)
        {
            folded.Append((char)(0x11A7 + (syllable % 28)));
        }
    }
}
