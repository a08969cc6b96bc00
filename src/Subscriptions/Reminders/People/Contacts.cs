using System.Collections.Immutable;
using System.Text.Json;

namespace Subscriptions.Reminders.People;

/// <summary>Which of somebody's ContactPoints to use, best first: by rank, then what is made for messages, then what is their own.</summary>
internal static class Contacts
{
    private const int NoRank = int.MaxValue;

    /// <summary>Numbers that can take an SMS, in E.164.</summary>
    public static ImmutableArray<string> Numbers(JsonElement person, PhoneReader phones, DateTimeOffset now) => Best(
        person, now,
        point => point.TextOf("system"u8) switch { "sms" => 0, "phone" => point.TextOf("use"u8) == "mobile" ? 1 : 2, _ => null },
        (value, kind) => phones.Mobile(value, isSaidToBe: kind < 2));

    public static ImmutableArray<string> Emails(JsonElement person, DateTimeOffset now) => Best(
        person, now, static point => point.TextOf("system"u8) == "email" ? 0 : null, static (value, _) => IsEmail(value) ? value : null);

    private static ImmutableArray<string> Best(JsonElement person, DateTimeOffset now, Func<JsonElement, int?> kindOf, Func<string, int, string?> read)
    {
        var found = new List<(int Rank, int Kind, int Use, string Value)>();
        foreach (var point in person.ItemsOf("telecom"u8))
        {
            if (kindOf(point) is { } kind && point.TextOf("use"u8) is var use && use != "old" && point.IsDuring(now)
                && point.TextOf("value"u8) is { } text && read(text.Trim(), kind) is { } value)
            {
                var rank = point.PartOf("rank"u8) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var given) ? given : NoRank;
                found.Add((rank, kind, use switch { "mobile" or "home" => 0, null or "temp" => 1, _ => 2 }, value));
            }
        }
        return [.. found.OrderBy(point => point.Rank).ThenBy(point => point.Kind).ThenBy(point => point.Use).Select(point => point.Value).Distinct(StringComparer.Ordinal)];
    }

    private static bool IsEmail(string text) =>
        text.Length is > 3 and <= 254 && text.IndexOf('@', StringComparison.Ordinal) is var at and > 0 && at == text.LastIndexOf('@') && at < text.Length - 1
        && !text.AsSpan().ContainsAny(" <>,;\"\r\n\t");
}
