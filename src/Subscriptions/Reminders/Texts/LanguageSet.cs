using System.Collections.Frozen;
using System.Text.Json;

namespace Subscriptions.Reminders.Texts;

/// <summary>The languages that people are written to in: English and Russian, and those of a folder.</summary>
public sealed class LanguageSet
{
    /// <summary>Whose keys every language has.</summary>
    public const string English = "en";

    private const string ResourcePrefix = "reminders/";
    private static readonly string[] Lists = ["days", "days.long", "months", "months.short", "words.confirm", "words.cancel"];
    private static readonly string[] OfDates = ["day", "day.long", "month", "month.short", "d", "dd", "MM", "yyyy", "HH", "h", "mm", "ampm"];

    private static readonly FrozenSet<string> OfMessages = FrozenSet.Create(
        "date", "date.long", "time", "clinic", "phone", "place", "given", "practitioner", "answer", "link", "confirm", "cancel", "reschedule", "count", "visits", "zone");

    private readonly FrozenDictionary<string, Language> _all;
    private readonly Language _fallback;

    private LanguageSet(FrozenDictionary<string, Language> all, string fallback) => (_all, _fallback) = (all, all[fallback]);

    /// <summary>By code.</summary>
    public IEnumerable<Language> All => _all.Values.OrderBy(language => language.Code, StringComparer.Ordinal);

    /// <param name="tag">BCP 47, such as <c>ru-RU</c>; null where nobody knows.</param>
    public Language Of(string? tag) => tag is { Length: > 0 } && _all.TryGetValue(Primary(tag), out var language) ? language : _fallback;

    /// <param name="folder">Of files <c>de.json</c>. One for a language that is there replaces the texts it has; one for another has them all.</param>
    /// <param name="fallback">For people who have no language, or another one.</param>
    /// <exception cref="FormatException">A file is wrong; the message names it and the text.</exception>
    public static LanguageSet Load(string? folder, string fallback)
    {
        var texts = new Dictionary<string, Dictionary<string, string>>(StringComparer.OrdinalIgnoreCase);
        var assembly = typeof(LanguageSet).Assembly;
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(ResourcePrefix, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            texts[name[ResourcePrefix.Length..]] = Read(stream, name);
        }
        var expected = texts[English].Keys.ToArray();
        foreach (var file in folder is null ? [] : Files(folder))
        {
            using var stream = File.OpenRead(file);
            var code = Path.GetFileNameWithoutExtension(file);
            var known = texts.TryGetValue(code, out var built) ? built : texts[code] = new(StringComparer.Ordinal);
            foreach (var (key, text) in Read(stream, file))
            {
                known[key] = expected.Contains(key, StringComparer.Ordinal) ? text : throw new FormatException($"{file}: there is no text '{key}'");
            }
        }
        if (!texts.ContainsKey(fallback))
        {
            throw new FormatException($"there is no language '{fallback}'");
        }
        return new(texts.ToFrozenDictionary(pair => pair.Key.ToLowerInvariant(), pair => Parse(pair.Key.ToLowerInvariant(), pair.Value, expected), StringComparer.OrdinalIgnoreCase), fallback);
    }

    private static IEnumerable<string> Files(string folder)
    {
        try
        {
            return Directory.GetFiles(folder, "*.json").Order(StringComparer.Ordinal);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new FormatException($"the folder {folder} cannot be read");
        }
    }

    private static Dictionary<string, string> Read(Stream stream, string name)
    {
        try
        {
            using var document = JsonDocument.Parse(stream, new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            return document.RootElement.EnumerateObject().ToDictionary(text => text.Name, text => text.Value.GetString()!, StringComparer.Ordinal);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new FormatException($"{name}: must be one JSON object of texts, each key once");
        }
    }

    private static Language Parse(string code, Dictionary<string, string> texts, string[] expected)
    {
        var templates = new Dictionary<string, Template>(StringComparer.Ordinal);
        var lists = new Dictionary<string, string[]>(StringComparer.Ordinal);
        foreach (var key in expected)
        {
            if (!texts.TryGetValue(key, out var text))
            {
                throw new FormatException($"{code}.json: the text '{key}' is missing");
            }
            if (Lists.Contains(key))
            {
                lists[key] = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
                if (key.StartsWith("days", StringComparison.Ordinal) && lists[key].Length != 7 || key.StartsWith("months", StringComparison.Ordinal) && lists[key].Length != 12)
                {
                    throw new FormatException($"{code}.json: '{key}' must be {(key[0] == 'd' ? 7 : 12)} words with commas between them");
                }
                continue;
            }
            if (!Template.TryParse(text, out var template))
            {
                throw new FormatException($"{code}.json: the brackets of '{key}' do not match");
            }
            var isDate = key is "date" or "date.long" or "time";
            if (template.Places.FirstOrDefault(place => isDate ? !OfDates.Contains(place) : !OfMessages.Contains(place)) is { } unknown)
            {
                throw new FormatException($"{code}.json: '{key}' has the unknown place {{{unknown}}}");
            }
            templates[key] = template;
        }
        return new(code, templates.ToFrozenDictionary(StringComparer.Ordinal), lists.ToFrozenDictionary(StringComparer.Ordinal));
    }

    private static string Primary(string tag) => tag.IndexOfAny(['-', '_']) is var dash and > 0 ? tag[..dash] : tag;
}
