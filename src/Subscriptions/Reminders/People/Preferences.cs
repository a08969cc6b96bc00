using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using FhirCore.Messages;

namespace Subscriptions.Reminders.People;

/// <summary>
/// What a Patient, a HealthcareService or a Location says of reminders, as the extension <see cref="Url"/>: <c>before</c> (Duration, several),
/// <c>channel</c> (code <c>push</c>, <c>sms</c>, <c>email</c>, in their order) and <c>off</c> (boolean).
/// </summary>
/// <param name="Before">Null where it says nothing of it.</param>
/// <param name="Channels">Null where it says nothing of it.</param>
internal sealed record Preferences(ImmutableArray<TimeSpan>? Before, ImmutableArray<MessageChannelKind>? Channels, bool Off)
{
    public const string Url = "urn:fhir-server:reminders";

    private const int MostRules = 10;
    private static readonly TimeSpan Longest = TimeSpan.FromDays(60);

    /// <returns>Null where the resource says nothing.</returns>
    public static Preferences? Of(JsonElement resource)
    {
        foreach (var extension in resource.Extensions(Url))
        {
            var before = extension.Extensions("before").Select(part => Length(part.PartOf("valueDuration"u8))).OfType<TimeSpan>().Take(MostRules).ToImmutableArray();
            var channels = extension.Extensions("channel").Select(part => Channel(part.TextOf("valueCode"u8))).OfType<MessageChannelKind>().Distinct().ToImmutableArray();
            var off = extension.Extensions("off").Any(part => part.PartOf("valueBoolean"u8)?.ValueKind == JsonValueKind.True);
            return new(before.IsEmpty ? null : before, channels.IsEmpty ? null : channels, off);
        }
        return null;
    }

    public static MessageChannelKind? Channel(string? code) => code switch
    {
        "push" => MessageChannelKind.Push,
        "sms" => MessageChannelKind.Sms,
        "email" => MessageChannelKind.Email,
        _ => null,
    };

    public static string Code(MessageChannelKind channel) => channel switch
    {
        MessageChannelKind.Push => "push",
        MessageChannelKind.Sms => "sms",
        _ => "email",
    };

    /// <summary>UCUM units of time, https://hl7.org/fhir/R4/valueset-duration-units.html.</summary>
    private static TimeSpan? Length(JsonElement? duration)
    {
        if (duration is not { } given || given.PartOf("value"u8) is not { ValueKind: JsonValueKind.Number } number || !number.TryGetDecimal(out var value) || value is <= 0 or > 100_000)
        {
            return null;
        }
        var unit = (given.TextOf("code"u8) ?? given.TextOf("unit"u8)) switch
        {
            "min" => TimeSpan.FromMinutes(1),
            "h" => TimeSpan.FromHours(1),
            "d" => TimeSpan.FromDays(1),
            "wk" => TimeSpan.FromDays(7),
            _ => TimeSpan.Zero,
        };
        var length = unit * double.Parse(value.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        return length >= TimeSpan.FromMinutes(5) && length <= Longest ? length : null;
    }
}
