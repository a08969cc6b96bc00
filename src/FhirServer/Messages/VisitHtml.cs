using System.Net;
using System.Text;
using Subscriptions.Reminders.Texts;

namespace FhirServer.Messages;

/// <summary>One page: plain HTML in the style of the sign-in pages, no scripts, everything encoded that is put in.</summary>
internal sealed class VisitHtml(Language language, string title, string style)
{
    private readonly StringBuilder _main = new();
    private string _footer = "";

    public Language Language => language;

    public VisitHtml Text(string text, bool isStrong = false, bool isHint = false)
    {
        if (text.Length > 0)
        {
            _main.Append(isHint ? "<p class=\"hint\">" : "<p>").Append(isStrong ? "<strong>" : "").Append(E(text)).Append(isStrong ? "</strong>" : "").Append("</p>\n");
        }
        return this;
    }

    public VisitHtml Fault(string text)
    {
        _main.Append("<p class=\"fault\" role=\"alert\">").Append(E(text)).Append("</p>\n");
        return this;
    }

    public void Heading(string text) => _main.Append("<h2>").Append(E(text)).Append("</h2>\n");

    public void Link(string address, string text) => _main.Append("<p><a href=\"").Append(E(address)).Append("\">").Append(E(text)).Append("</a></p>\n");

    public void Form(string action, IEnumerable<(string Name, string Value)> fields, string button, bool isDangerous = false, string? note = null)
    {
        _main.Append("<form method=\"post\" action=\"").Append(E(action)).Append("\">\n");
        foreach (var (name, value) in fields)
        {
            _main.Append("<input type=\"hidden\" name=\"").Append(E(name)).Append("\" value=\"").Append(E(value)).Append("\">\n");
        }
        if (note is not null)
        {
            _main.Append("<p class=\"hint\">").Append(E(note)).Append("</p>\n");
        }
        _main.Append(isDangerous ? "<p><button class=\"danger\">" : "<p><button>").Append(E(button)).Append("</button></p>\n</form>\n");
    }

    /// <summary>One form with a choice of times, by day.</summary>
    public void Times(string action, string button, IEnumerable<(string Day, IEnumerable<(string Value, string Time)> Times)> days)
    {
        _main.Append("<form method=\"post\" action=\"").Append(E(action)).Append("\">\n");
        foreach (var (day, times) in days)
        {
            _main.Append("<fieldset><legend>").Append(E(day)).Append("</legend>\n");
            foreach (var (value, time) in times)
            {
                _main.Append("<span class=\"check\"><input type=\"radio\" required name=\"start\" id=\"t").Append(E(value)).Append("\" value=\"").Append(E(value)).Append("\"><label for=\"t").Append(E(value)).Append("\">")
                    .Append(E(time)).Append("</label></span>\n");
            }
            _main.Append("</fieldset>\n");
        }
        _main.Append("<p><button>").Append(E(button)).Append("</button></p>\n</form>\n");
    }

    public void Languages(IEnumerable<(string Code, string Name, string Address)> languages)
    {
        var links = languages.Select(other => other.Code == language.Code
            ? $"<span lang=\"{E(other.Code)}\" aria-current=\"true\">{E(other.Name)}</span>"
            : $"<a lang=\"{E(other.Code)}\" hreflang=\"{E(other.Code)}\" href=\"{E(other.Address)}\">{E(other.Name)}</a>");
        _footer = $"<footer><nav aria-label=\"Language\">\n{string.Join('\n', links)}\n</nav></footer>\n";
    }

    public override string ToString() => $"""
        <!DOCTYPE html>
        <html lang="{E(language.Code)}">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="robots" content="noindex">
        <title>{E(title)}</title>
        <link rel="stylesheet" href="{E(style)}">
        </head>
        <body>
        <main>
        <h1>{E(title)}</h1>
        {_main}</main>
        {_footer}</body>
        </html>

        """;

    private static string E(string text) => WebUtility.HtmlEncode(text);
}
