using System.Collections.Frozen;
using System.Globalization;
using NodaTime;

namespace Subscriptions.Reminders.Texts;

/// <summary>What is said in one language: templates by key, and how dates and times are written.</summary>
public sealed class Language
{
    private readonly FrozenDictionary<string, Template> _templates;
    private readonly FrozenDictionary<string, string[]> _lists;

    internal Language(string code, FrozenDictionary<string, Template> templates, FrozenDictionary<string, string[]> lists) =>
        (Code, _templates, _lists) = (code, templates, lists);

    /// <summary>Primary subtag of BCP 47: <c>en</c>.</summary>
    public string Code { get; }

    /// <summary>As its speakers call it.</summary>
    public string Name => Plain("language");

    /// <summary>Words of a list, such as those that confirm.</summary>
    public IReadOnlyList<string> Words(string key) => _lists[key];

    /// <exception cref="KeyNotFoundException">There is no such text: a fault of ours, for files that lack one are refused at start.</exception>
    internal Template this[string key] => _templates.TryGetValue(key, out var template) ? template : throw new KeyNotFoundException($"There is no text '{key}' in '{Code}'.");

    /// <summary>A text without places.</summary>
    public string Plain(string key) => this[key].Text(static _ => "");

    /// <summary>Values of the places for a time: date, date.long, time and their parts.</summary>
    internal Func<string, string> At(ZonedDateTime time, Func<string, string> others)
    {
        string Part(string place) => place switch
        {
            "day" => _lists["days"][(int)time.DayOfWeek - 1],
            "day.long" => _lists["days.long"][(int)time.DayOfWeek - 1],
            "month" => _lists["months"][time.Month - 1],
            "month.short" => _lists["months.short"][time.Month - 1],
            "d" => Number(time.Day),
            "dd" => Number(time.Day, 2),
            "MM" => Number(time.Month, 2),
            "yyyy" => Number(time.Year, 4),
            "HH" => Number(time.Hour, 2),
            "h" => Number(time.ClockHourOfHalfDay),
            "mm" => Number(time.Minute, 2),
            "ampm" => time.Hour < 12 ? "AM" : "PM",
            _ => "",
        };

        return place => place switch
        {
            "date" or "date.long" or "time" => this[place].Text(Part),
            _ => others(place),
        };
    }

    private static string Number(int value, int digits = 1) => value.ToString($"D{digits}", CultureInfo.InvariantCulture);
}
