using System.Globalization;

namespace FhirServer.Settings;

/// <summary>Reads typed values and collects every problem, so that a wrong configuration is told whole, key by key.</summary>
internal sealed class SettingsReader(IConfiguration configuration)
{
    private readonly List<string> _problems = [];
    private readonly HashSet<string> _known = new(StringComparer.OrdinalIgnoreCase);

    public string Text(string key, string fallback)
    {
        _known.Add(key);
        return configuration[key] is { Length: > 0 } value ? value : fallback;
    }

    public string? OptionalText(string key)
    {
        _known.Add(key);
        return configuration[key] is { Length: > 0 } value ? value : null;
    }

    public long Number(string key, long fallback, long least, long most)
    {
        if (OptionalText(key) is not { } text)
        {
            return fallback;
        }
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
        {
            return value;
        }
        Refuse(key, string.Create(CultureInfo.InvariantCulture, $"'{text}' is not a whole number from {least} to {most}"));
        return fallback;
    }

    public TimeSpan Time(string key, TimeSpan fallback, TimeSpan least, TimeSpan most)
    {
        if (OptionalText(key) is not { } text)
        {
            return fallback;
        }
        if (TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
        {
            return value;
        }
        Refuse(key, $"'{text}' is not a time from {least:c} to {most:c}, written like 00:00:30");
        return fallback;
    }

    /// <summary>The entries of a list, <c>key:0</c>, <c>key:1</c>…</summary>
    /// <returns>Null where the list is not given; empty where <paramref name="key"/> itself is given and empty.</returns>
    public IReadOnlyList<(string Key, string Value)>? Many(string key)
    {
        _known.Add(key);
        var entries = configuration.GetSection(key).GetChildren().Where(entry => entry.Value is { Length: > 0 }).Select(entry => (entry.Path, entry.Value!)).ToArray();
        foreach (var (path, _) in entries)
        {
            _known.Add(path);
        }
        return entries.Length > 0 ? entries : configuration[key] is { Length: 0 } ? [] : null;
    }

    /// <returns>Empty where the key is given and empty: what there is by default is not wanted.</returns>
    public string TextOrNone(string key, string fallback)
    {
        _known.Add(key);
        return configuration[key] ?? fallback;
    }

    /// <summary>One of the names this version knows; names it will know later are refused with a word of their own.</summary>
    public string OneOf(string key, string fallback, string[] offered, params ReadOnlySpan<string> later)
    {
        var text = Text(key, fallback);
        foreach (var name in offered)
        {
            if (name.Equals(text, StringComparison.OrdinalIgnoreCase))
            {
                return name;
            }
        }
        foreach (var name in later)
        {
            if (name.Equals(text, StringComparison.OrdinalIgnoreCase))
            {
                Refuse(key, $"'{name}' is not offered by this version; use {string.Join(" or ", offered)}");
                return fallback;
            }
        }
        Refuse(key, $"'{text}' is not one of {string.Join(", ", offered)}");
        return fallback;
    }

    public void Refuse(string key, string why) => _problems.Add($"{key}: {why}.");

    /// <summary>A misspelt key would otherwise be ignored in silence.</summary>
    public void RefuseUnknownKeys(string section)
    {
        foreach (var pair in configuration.GetSection(section).AsEnumerable())
        {
            if (pair.Value is not null && !_known.Contains(pair.Key))
            {
                Refuse(pair.Key, "no such setting");
            }
        }
    }

    /// <exception cref="SettingsException">There was a problem.</exception>
    public void ThrowIfAny()
    {
        if (_problems.Count > 0)
        {
            throw new SettingsException(_problems);
        }
    }
}
