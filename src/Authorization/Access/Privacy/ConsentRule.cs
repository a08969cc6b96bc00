using System.Text.Json;

namespace Authorization.Access.Privacy;

/// <summary>Who looks at what, as a consent asks.</summary>
/// <param name="Actors">References of who looks: their FHIR user, and the organizations their roles are held at.</param>
internal readonly record struct Viewing(string Type, IReadOnlyCollection<string> Actors, DateTimeOffset At);

/// <summary>
/// Whether a Consent denies a look, https://hl7.org/fhir/R4/consent.html#6.2.5: the provision says what applies, and provisions within it
/// are its exceptions. What narrows a denial and is not understood here leaves it as wide as it stands; what narrows a permission leaves
/// it out. So a consent never shows more than its author meant.
/// </summary>
internal static class ConsentRule
{
    private const string ResourceTypes = "http://hl7.org/fhir/resource-types";
    private const int MostLevels = 8;

    public static bool Denies(JsonElement consent, in Viewing viewing) =>
        consent.TryGetProperty("provision"u8, out var provision) && IsDenied(provision, viewing, false, 0);

    /// <summary>False tells that the consent can never deny anything, so that it need not be kept.</summary>
    public static bool CanDeny(JsonElement consent) => consent.TryGetProperty("provision"u8, out var provision) && HasDenial(provision, 0);

    private static bool HasDenial(JsonElement provision, int level) =>
        Text(provision, "type"u8) == "deny" || (level < MostLevels ? Items(provision, "provision"u8).Any(inner => HasDenial(inner, level + 1)) : Items(provision, "provision"u8).Any());

    private static bool IsDenied(JsonElement provision, in Viewing viewing, bool otherwise, int level)
    {
        var denies = Text(provision, "type"u8) switch { "deny" => true, "permit" => false, _ => otherwise };
        if (!Applies(provision, viewing, widely: denies))
        {
            return otherwise;
        }
        var result = denies;
        foreach (var inner in Items(provision, "provision"u8))
        {
            if (level >= MostLevels)
            {
                return true;
            }
            if (IsDenied(inner, viewing, denies, level + 1) is var exception && exception != denies)
            {
                result = exception;
                if (result)
                {
                    return true; // of two exceptions the one that denies
                }
            }
        }
        return result;
    }

    /// <param name="widely">What is not understood does not keep it from applying.</param>
    private static bool Applies(JsonElement provision, in Viewing viewing, bool widely)
    {
        if (provision.TryGetProperty("period"u8, out var period) && !IsWithin(period, viewing.At, widely))
        {
            return false;
        }
        var type = viewing.Type;
        var classes = Items(provision, "class"u8).ToList();
        if (classes.Count > 0 && !classes.Exists(c => Text(c, "code"u8) == type && Text(c, "system"u8) is null or ResourceTypes)
            && !(widely && classes.Exists(c => Text(c, "system"u8) is not (null or ResourceTypes))))
        {
            return false;
        }
        var actors = viewing.Actors;
        var named = Items(provision, "actor"u8).ToList();
        if (named.Count > 0 && !named.Exists(a => a.TryGetProperty("reference"u8, out var reference) && Text(reference, "reference"u8) is { } text && actors.Any(actor => IsSame(text, actor))))
        {
            return false;
        }
        return widely || !(Has(provision, "action"u8) || Has(provision, "securityLabel"u8) || Has(provision, "purpose"u8) || Has(provision, "code"u8) || Has(provision, "dataPeriod"u8) || Has(provision, "data"u8));
    }

    private static bool IsSame(string reference, string actor) => reference == actor || reference.EndsWith("/" + actor, StringComparison.Ordinal);

    private static bool IsWithin(JsonElement period, DateTimeOffset at, bool widely)
    {
        var (start, end) = (Text(period, "start"u8), Text(period, "end"u8));
        if ((start is not null && !PartialDate.TryRead(start, out _, out _)) || (end is not null && !PartialDate.TryRead(end, out _, out _)))
        {
            return widely;
        }
        return (start is null || (PartialDate.TryRead(start, out var from, out _) && from <= at)) && (end is null || (PartialDate.TryRead(end, out _, out var until) && at < until));
    }

    private static bool Has(JsonElement parent, ReadOnlySpan<byte> name) => parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out _);

    private static string? Text(JsonElement parent, ReadOnlySpan<byte> name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static IEnumerable<JsonElement> Items(JsonElement parent, ReadOnlySpan<byte> name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : [];
}
