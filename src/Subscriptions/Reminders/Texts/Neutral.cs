using System.Globalization;
using System.Text;

namespace Subscriptions.Reminders.Texts;

/// <summary>
/// Makes a value out of a record harmless in a message: one line of plain words. What a patient or a clerk has typed cannot add a line,
/// a link, markup or another placeholder, nor turn the direction of what stands around it.
/// </summary>
internal static class Neutral
{
    private const int Longest = 120;

    public static string Text(string? value)
    {
        if (string.IsNullOrEmpty(value))
        {
            return "";
        }
        var text = new StringBuilder(Math.Min(value.Length, Longest));
        var pending = false;
        foreach (var rune in value.EnumerateRunes())
        {
            if (Rune.IsWhiteSpace(rune) || IsInvisible(rune) || rune.Value is '<' or '>' or '{' or '}' or '[' or ']' or '|' or '\\' or '`' or 0xFFFD)
            {
                pending = text.Length > 0;
                continue;
            }
            if (text.Length + rune.Utf16SequenceLength + 1 > Longest)
            {
                break;
            }
            if (pending)
            {
                text.Append(' ');
                pending = false;
            }
            text.Append(rune.ToString());
        }
        return Unlink(text.ToString());
    }

    /// <summary>
    /// Programs make a link of <c>a.bc</c>, <c>x://</c> and <c>a@b</c>: a blank behind the mark ends that. Abbreviations such as
    /// <c>Str.</c> and numbers such as <c>12.5</c> stay as they are.
    /// </summary>
    private static string Unlink(string text)
    {
        var safe = new StringBuilder(text.Length + 4);
        for (var i = 0; i < text.Length; i++)
        {
            safe.Append(text[i]);
            var next = i + 1 < text.Length ? text[i + 1] : ' ';
            if (text[i] switch
            {
                '.' or '\u3002' or '\uff0e' or '\uff61' => char.IsLetter(next) || char.IsSurrogate(next),
                ':' => next == '/',
                '/' => next == '/',
                '@' => true,
                _ => false,
            } && next != ' ')
            {
                safe.Append(' ');
            }
        }
        return safe.ToString();
    }

    private static bool IsInvisible(Rune rune) => Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.Surrogate or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
