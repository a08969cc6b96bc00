using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;

namespace Authorization.Pages;

/// <summary>
/// What the pages say, by key, in one language. The texts lie in <c>Pages/Texts/{language}/*.json</c>; both languages have the same
/// keys, and a test says so.
/// </summary>
public sealed class Texts
{
    public const string English = "en";
    public const string Russian = "ru";

    private readonly FrozenDictionary<string, string> _texts;

    private Texts(string language)
    {
        Language = language;
        _texts = Read(language);
    }

    /// <summary>The languages that are offered, the one of those who ask for none first.</summary>
    public static IReadOnlyList<string> Languages { get; } = [English, Russian];

    public string Language { get; }

    internal IEnumerable<string> Keys => _texts.Keys;

    private static FrozenDictionary<string, Texts> All { get; } = Languages.ToFrozenDictionary(language => language, language => new Texts(language), StringComparer.OrdinalIgnoreCase);

    /// <exception cref="KeyNotFoundException">There is no such text: a fault of ours.</exception>
    public string this[string key] => _texts.TryGetValue(key, out var text) ? text : throw new KeyNotFoundException($"The pages have no text '{key}' in '{Language}'.");

    /// <param name="key">Of a text with <c>{0}</c>, <c>{1}</c>...</param>
    public string Format(string key, params object?[] values) => string.Format(CultureInfo.InvariantCulture, this[key], values);

    /// <returns>English where the language is not offered.</returns>
    public static Texts Of(string? language) => language is not null && All.TryGetValue(language, out var texts) ? texts : All[English];

    public static bool IsOffered(string language) => All.ContainsKey(language);

    private static FrozenDictionary<string, string> Read(string language)
    {
        var all = new Dictionary<string, string>(StringComparer.Ordinal);
        var assembly = typeof(Texts).Assembly;
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith($"texts/{language}/", StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            using var document = JsonDocument.Parse(stream);
            foreach (var text in document.RootElement.EnumerateObject())
            {
                all.Add(text.Name, text.Value.GetString()!); // throws where two files say the same key
            }
        }
        return all.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
