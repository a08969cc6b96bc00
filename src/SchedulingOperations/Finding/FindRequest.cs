using System.Globalization;
using System.Text.Json;
using FhirCore;
using SchedulingOperations.Views;
using SchedulingOperations.Wire;

namespace SchedulingOperations.Finding;

/// <summary>Input of <c>$find</c>. Lists of one kind mean any of them, in order of preference; different kinds must all be met.</summary>
internal sealed record FindRequest
{
    public required TimeRange Window { get; init; }

    public List<string> Practitioners { get; } = [];

    public List<string> Locations { get; } = [];

    public List<string> Organizations { get; } = [];

    public List<string> Schedules { get; } = [];

    public List<string> Patients { get; } = [];

    public List<(string? System, string Code)> Specialties { get; } = [];

    public List<(string? System, string Code)> Services { get; } = [];

    /// <summary>How long the proposals are; null takes slots as they are.</summary>
    public TimeSpan? Duration { get; init; }

    public int Count { get; init; }

    public OfferCursor? After { get; init; }

    /// <summary>Inputs that could not be used.</summary>
    public List<Issue> Notes { get; } = [];

    /// <summary>The inputs as query parameters, for the next link: the same however they came.</summary>
    public List<KeyValuePair<string, string>> Normal { get; } = [];

    private static readonly Dictionary<string, string> Aliases = new(StringComparer.Ordinal)
    {
        ["startTime"] = "start",
        ["endTime"] = "end",
        ["provider"] = "practitioner",
        ["location"] = "location-reference",
        ["service-type"] = "visit-type",
    };

    public static Outcome<FindRequest> Read(SchedulingCall call, SchedulingOptions options)
    {
        if (call.InstanceId is not null)
        {
            return Refusals.Malformed("$find works on the type: Appointment/$find.", null, "not-supported");
        }
        if (!OperationInput.Read(call).TryGet(out var input, out var failure))
        {
            return failure;
        }
        if (input.Bare is not null)
        {
            return Refusals.Malformed("$find takes Parameters.", null, "structure");
        }
        string? start = null, end = null, count = null, duration = null, page = null;
        var lists = new List<InputPart>();
        foreach (var part in input.Parts)
        {
            var name = Aliases.GetValueOrDefault(part.Name, part.Name);
            ref var single = ref start;
            switch (name)
            {
                case "start": break;
                case "end": single = ref end; break;
                case "_count": single = ref count; break;
                case "duration": single = ref duration; break;
                case "_page": single = ref page; break;
                default: lists.Add(part with { Name = name }); continue;
            }
            if (name == "_count" && string.IsNullOrEmpty(part.Text))
            {
                continue;
            }
            if (single is not null)
            {
                return Refusals.Malformed($"{name} may be given once.", part.Expression);
            }
            single = part.Text;
        }
        if (start is null || end is null)
        {
            return Refusals.Malformed("$find needs start and end.", start is null ? "start" : "end", "required");
        }
        if (!WhenText.TryParse(start, options.TimeZone, false, out var from) || !WhenText.TryParse(end, options.TimeZone, true, out var to))
        {
            return Refusals.Malformed("start and end are dates, or dates with time and offset.", "start", "value");
        }
        if (to <= from)
        {
            return Refusals.Malformed("end must be after start.", "end", "value");
        }
        if (to - from > options.FindRange)
        {
            return Refusals.Malformed($"The range is longer than {options.FindRange.TotalDays:0} days; ask for less at a time.", "end", "too-costly");
        }
        var size = options.FindPageSize;
        if (count is not null && (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out size) || size > 1_000_000_000))
        {
            return Refusals.Malformed("_count is a whole number from 0.", "_count", "value");
        }
        TimeSpan? length = null;
        if (duration is not null)
        {
            if (!int.TryParse(duration, NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) || minutes is < 1 or > 1440)
            {
                return Refusals.Malformed("duration is a number of minutes, 1 to 1440.", "duration", "value");
            }
            length = TimeSpan.FromMinutes(minutes);
        }
        OfferCursor? after = null;
        if (page is not null && !OfferCursor.TryParse(page, out after))
        {
            return Refusals.Malformed("_page is not what a next link carried.", "_page", "value");
        }
        var request = new FindRequest { Window = new(from, to), Count = Math.Min(size, 1000), Duration = length, After = after };
        request.Normal.Add(new("start", start));
        request.Normal.Add(new("end", end));
        if (duration is not null)
        {
            request.Normal.Add(new("duration", duration));
        }
        foreach (var part in lists)
        {
            if (request.Add(part, call) is { } refusal)
            {
                return refusal;
            }
        }
        return request;
    }

    private FhirFailure? Add(InputPart part, SchedulingCall call)
    {
        switch (part.Name)
        {
            case "practitioner": return AddReferences(part, Practitioners, "Practitioner", call);
            case "location-reference": return AddReferences(part, Locations, "Location", call);
            case "organization": return AddReferences(part, Organizations, "Organization", call);
            case "schedule": return AddReferences(part, Schedules, "Schedule", call);
            case "patient-reference": return AddReferences(part, Patients, "Patient", call);
            case "specialty": return AddTokens(part, Specialties, call);
            case "visit-type": return AddTokens(part, Services, call);
            default:
                if (call.Strict)
                {
                    return Refusals.Malformed($"$find cannot use {part.Name}.", part.Expression, "not-supported");
                }
                Notes.Add(Issue.Information("not-supported", $"{part.Name} was not used to find times.", part.Expression));
                return null;
        }
    }

    private FhirFailure? AddReferences(InputPart part, List<string> into, string defaultType, SchedulingCall call)
    {
        if (part.Text is not { Length: > 0 } text)
        {
            if (part.Value.ValueKind == JsonValueKind.Object && part.Value.TryGetProperty("identifier"u8, out var identifier) && TokenOf(identifier, "value"u8) is { } token)
            {
                into.Add($"{TypeOf(part.Value) ?? defaultType}?identifier={token}"); // resolved where the search is
                Normal.Add(new(part.Name, into[^1]));
                return null;
            }
            return Refusals.Malformed($"{part.Name} is a reference to a {defaultType}.", part.Expression, "value");
        }
        foreach (var single in text.Split(','))
        {
            if (single.Contains("?identifier=", StringComparison.Ordinal))
            {
                into.Add(single);
            }
            else if (FhirIds.IsValid(single))
            {
                into.Add($"{defaultType}/{single}");
            }
            else if (call.TryParse(single, out var key))
            {
                into.Add(key.ToString());
            }
            else
            {
                return Refusals.Malformed($"{part.Name} is a reference to a {defaultType} of this server.", part.Expression, "value");
            }
            Normal.Add(new(part.Name, into[^1]));
        }
        return null;
    }

    private FhirFailure? AddTokens(InputPart part, List<(string? System, string Code)> into, SchedulingCall call)
    {
        var texts = new List<string>();
        if (part.Value.ValueKind == JsonValueKind.Object)
        {
            if (part.Value.TryGetProperty("coding"u8, out _))
            {
                foreach (var coding in new ElementList(part.Value, "coding"u8))
                {
                    texts.Add(TokenOf(coding, "code"u8) ?? "");
                }
            }
            else
            {
                texts.Add(TokenOf(part.Value, "code"u8) ?? "");
            }
        }
        else
        {
            texts.AddRange((part.Text ?? "").Split(','));
        }
        foreach (var text in texts)
        {
            var bar = text.IndexOf('|', StringComparison.Ordinal);
            var (system, code) = bar > 0 ? (text[..bar], text[(bar + 1)..]) : (null, bar == 0 ? text[1..] : text);
            if (code.Length == 0)
            {
                return Refusals.Malformed($"{part.Name} is a code: system|code.", part.Expression, "value");
            }
            if (system is null && call.Dialect == SchedulingDialect.Ihe)
            {
                return Refusals.Malformed($"{part.Name} needs system and code: system|code.", part.Expression, "value");
            }
            into.Add((system, code));
            Normal.Add(new(part.Name, text));
        }
        return null;
    }

    private static string? TokenOf(JsonElement element, ReadOnlySpan<byte> value) =>
        element.TryGetProperty(value, out var code) && code.GetString() is { } text
            ? element.TryGetProperty("system"u8, out var system) ? $"{system.GetString()}|{text}" : text
            : null;

    private static string? TypeOf(JsonElement reference) => reference.TryGetProperty("type"u8, out var type) ? type.GetString() : null;
}
