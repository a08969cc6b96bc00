using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Subscriptions.Reminders.Texts;

/// <summary>
/// A text with places: <c>{name}</c> for a value, <c>{name|label}</c> for a link and what it is called, <c>[…]</c> for a part that is left
/// out where a value in it is missing. Values are put in once and are never read as a template.
/// </summary>
internal sealed class Template
{
    private readonly ImmutableArray<Part> _parts;

    /// <param name="Group">0 for what always stands there, else the number of its optional part.</param>
    private readonly record struct Part(string Text, bool IsPlace, string? Label, int Group);

    private Template(ImmutableArray<Part> parts) => _parts = parts;

    public IEnumerable<string> Places => _parts.Where(part => part.IsPlace).Select(part => part.Text).Distinct();

    /// <summary>How many optional parts there are.</summary>
    public int Options => _parts.IsEmpty ? 0 : _parts.Max(part => part.Group);

    /// <returns><see langword="false"/> where a bracket is not closed, or stands in another of its kind.</returns>
    public static bool TryParse(string text, [NotNullWhen(true)] out Template? template)
    {
        var parts = ImmutableArray.CreateBuilder<Part>();
        var literal = new StringBuilder();
        var (group, groups) = (0, 0);
        template = null;
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '[' when group == 0:
                    Flush();
                    group = ++groups;
                    break;
                case ']' when group > 0:
                    Flush();
                    group = 0;
                    break;
                case '{' when text.IndexOf('}', i) is var end && end > i + 1:
                    Flush();
                    var place = text[(i + 1)..end].Split('|', 2);
                    parts.Add(new(place[0], true, place.Length > 1 ? place[1] : null, group));
                    i = end;
                    break;
                case '[' or ']' or '{' or '}':
                    return false;
                default:
                    literal.Append(text[i]);
                    break;
            }
        }
        Flush();
        if (group != 0)
        {
            return false;
        }
        template = new(parts.ToImmutable());
        return true;

        void Flush()
        {
            if (literal.Length > 0)
            {
                parts.Add(new(literal.ToString(), false, null, group));
                literal.Clear();
            }
        }
    }

    /// <param name="values">Ready to be shown: of text from records, <see cref="Neutral"/>.</param>
    /// <param name="options">How many of the optional parts may stand, from the first on.</param>
    public string Text(Func<string, string> values, int options = int.MaxValue)
    {
        var text = new StringBuilder();
        foreach (var part in Standing(values, options))
        {
            if (part.IsPlace && part.Label is { } label)
            {
                text.Append(label).Append(": ");
            }
            text.Append(part.IsPlace ? values(part.Text) : part.Text);
        }
        return text.ToString();
    }

    /// <summary>The same as HTML: a paragraph for each block of lines, links where places have labels.</summary>
    public string Html(Func<string, string> values)
    {
        var html = new StringBuilder("<p>");
        foreach (var part in Standing(values, int.MaxValue))
        {
            if (part.IsPlace && part.Label is { } label)
            {
                html.Append("<a href=\"").Append(Encode(values(part.Text))).Append("\">").Append(Encode(label)).Append("</a>");
            }
            else
            {
                html.AppendJoin("</p>\n<p>", Encode(part.IsPlace ? values(part.Text) : part.Text).Split("\n\n").Select(block => block.Replace("\n", "<br>\n", StringComparison.Ordinal)));
            }
        }
        return html.Append("</p>").ToString();
    }

    private IEnumerable<Part> Standing(Func<string, string> values, int options)
    {
        var missing = _parts.Where(part => part is { IsPlace: true, Group: > 0 } && values(part.Text).Length == 0).Select(part => part.Group).ToHashSet();
        return _parts.Where(part => part.Group == 0 || (part.Group <= options && !missing.Contains(part.Group)));
    }

    private static string Encode(string text) => System.Net.WebUtility.HtmlEncode(text);
}
