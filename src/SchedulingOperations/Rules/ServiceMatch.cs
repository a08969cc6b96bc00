using System.Text.Json;

namespace SchedulingOperations.Rules;

/// <summary>Whether what is asked for is among what is offered: CodeableConcepts compared by system and code.</summary>
public static class ServiceMatch
{
    /// <summary>The service types of a slot as one text that is equal where they are.</summary>
    public static string KeyOf(JsonElement resource)
    {
        if (!resource.TryGetProperty("serviceType"u8, out var concepts) || concepts.ValueKind != JsonValueKind.Array)
        {
            return "";
        }
        var codes = new List<string>();
        foreach (var (system, code) in Codings(concepts))
        {
            codes.Add($"{system}|{code}");
        }
        codes.Sort(StringComparer.Ordinal);
        return string.Join(',', codes);
    }

    /// <summary>True too where one side says nothing that could be compared. A missing system matches any.</summary>
    public static bool Meets(JsonElement wanted, JsonElement offered, ReadOnlySpan<byte> element)
    {
        if (!wanted.TryGetProperty(element, out var wantedConcepts) || !offered.TryGetProperty(element, out var offeredConcepts))
        {
            return true;
        }
        var isComparable = false;
        var isMet = false;
        foreach (var (system, code) in Codings(wantedConcepts))
        {
            foreach (var (otherSystem, otherCode) in Codings(offeredConcepts))
            {
                isComparable = true;
                isMet |= code == otherCode && (system is null || otherSystem is null || system == otherSystem);
            }
        }
        return isMet || !isComparable;
    }

    /// <summary>True where the list of concepts holds one of the tokens; a token without a system matches any.</summary>
    public static bool HasAny(JsonElement resource, ReadOnlySpan<byte> element, IReadOnlyList<(string? System, string Code)> tokens)
    {
        return resource.TryGetProperty(element, out var concepts) && IsAny(concepts, tokens);
    }

    /// <summary>True where a concept, or one of a list of them, is one of the tokens.</summary>
    public static bool IsAny(JsonElement concepts, IReadOnlyList<(string? System, string Code)> tokens)
    {
        foreach (var (system, code) in Codings(concepts))
        {
            foreach (var token in tokens)
            {
                if (token.Code == code && (token.System is null || token.System == system))
                {
                    return true;
                }
            }
        }
        return false;
    }

    /// <summary>True where the element has a coding at all.</summary>
    public static bool IsCoded(JsonElement resource, ReadOnlySpan<byte> element)
    {
        if (resource.TryGetProperty(element, out var concepts))
        {
            foreach (var _ in Codings(concepts))
            {
                return true;
            }
        }
        return false;
    }

    private static IEnumerable<(string? System, string Code)> Codings(JsonElement concepts)
    {
        if (concepts.ValueKind == JsonValueKind.Object)
        {
            foreach (var coding in CodingsOf(concepts))
            {
                yield return coding;
            }
        }
        else if (concepts.ValueKind == JsonValueKind.Array)
        {
            foreach (var concept in concepts.EnumerateArray())
            {
                foreach (var coding in CodingsOf(concept))
                {
                    yield return coding;
                }
            }
        }
    }

    private static IEnumerable<(string? System, string Code)> CodingsOf(JsonElement concept)
    {
        if (concept.ValueKind != JsonValueKind.Object || !concept.TryGetProperty("coding"u8, out var codings) || codings.ValueKind != JsonValueKind.Array)
        {
            yield break;
        }
        foreach (var coding in codings.EnumerateArray())
        {
            if (coding.TryGetProperty("code"u8, out var code) && code.GetString() is { } text)
            {
                yield return (coding.TryGetProperty("system"u8, out var system) ? system.GetString() : null, text);
            }
        }
    }
}
