using System.Collections.Frozen;
using FhirCore;
using FhirStore.Model;

namespace FhirServer.Http;

public enum RouteKind
{
    System,
    SystemSearch,
    SystemHistory,
    SystemOperation,
    Metadata,
    SmartConfiguration,
    Type,
    TypeSearch,
    TypeHistory,
    TypeOperation,
    Instance,
    InstanceHistory,
    Version,
    InstanceOperation,
    Compartment,
}

/// <summary>What a path below the FHIR base names, https://hl7.org/fhir/R4/http.html#summary.</summary>
/// <param name="Tail">Version id, name of the operation with its <c>$</c>, or type in a compartment.</param>
public readonly record struct FhirRoute(RouteKind Kind, string? Type = null, string? Id = null, string? Tail = null)
{
    private static readonly Lazy<FrozenDictionary<string, string>> Types =
        new(() => R4Model.ResourceTypes.ToFrozenDictionary(type => type, StringComparer.Ordinal));

    /// <exception cref="ArgumentException">The route names no instance.</exception>
    public ResourceKey Key => new(Type!, Id!);

    /// <param name="path">Decoded path below the base, with or without slashes at its ends.</param>
    public static Outcome<FhirRoute> Parse(ReadOnlySpan<char> path)
    {
        path = path.Trim('/');
        if (path.IsEmpty)
        {
            return new FhirRoute(RouteKind.System);
        }
        var first = Next(ref path);
        if (first[0] is '$' or '_' or '.' || first is "metadata")
        {
            return ParseSystem(first, path);
        }
        if (!Types.Value.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(first, out var type))
        {
            return UnknownType(first);
        }
        if (path.IsEmpty)
        {
            return new FhirRoute(RouteKind.Type, type);
        }
        var second = Next(ref path);
        return second.IsEmpty ? Unknown()
            : second[0] is '_' or '$' ? ParseTypeLevel(type, second, path)
            : ParseInstance(type, second, path);
    }

    private static Outcome<FhirRoute> ParseSystem(ReadOnlySpan<char> first, ReadOnlySpan<char> rest) => first switch
    {
        "metadata" when rest.IsEmpty => new FhirRoute(RouteKind.Metadata),
        ".well-known" when rest is "smart-configuration" => new FhirRoute(RouteKind.SmartConfiguration),
        "_history" when rest.IsEmpty => new FhirRoute(RouteKind.SystemHistory),
        "_search" when rest.IsEmpty => new FhirRoute(RouteKind.SystemSearch),
        ['$', _, ..] when rest.IsEmpty => new FhirRoute(RouteKind.SystemOperation, Tail: first.ToString()),
        _ => Unknown(),
    };

    private static Outcome<FhirRoute> ParseTypeLevel(string type, ReadOnlySpan<char> second, ReadOnlySpan<char> rest) => second switch
    {
        "_search" when rest.IsEmpty => new FhirRoute(RouteKind.TypeSearch, type),
        "_history" when rest.IsEmpty => new FhirRoute(RouteKind.TypeHistory, type),
        ['$', _, ..] when rest.IsEmpty => new FhirRoute(RouteKind.TypeOperation, type, Tail: second.ToString()),
        _ => Unknown(),
    };

    private static Outcome<FhirRoute> ParseInstance(string type, ReadOnlySpan<char> second, ReadOnlySpan<char> rest)
    {
        var id = second.ToString();
        if (!FhirIds.IsValid(id))
        {
            return FhirFailure.Of(FailureKind.Invalid,
                "The id in the path is not a FHIR id: 1 to 64 characters of A-Z, a-z, 0-9, '-' and '.'.", code: "value");
        }
        if (rest.IsEmpty)
        {
            return new FhirRoute(RouteKind.Instance, type, id);
        }
        var third = Next(ref rest);
        if (third.IsEmpty)
        {
            return Unknown();
        }
        if (third is "_history")
        {
            return rest.IsEmpty ? new FhirRoute(RouteKind.InstanceHistory, type, id)
                : rest.Contains('/') ? Unknown()
                : new FhirRoute(RouteKind.Version, type, id, rest.ToString());
        }
        if (third[0] == '$')
        {
            return rest.IsEmpty ? new FhirRoute(RouteKind.InstanceOperation, type, id, third.ToString()) : Unknown();
        }
        return rest.IsEmpty && (third is "*" || R4Model.IsResourceType(third.ToString()))
            ? new FhirRoute(RouteKind.Compartment, type, id, third.ToString())
            : Unknown();
    }

    private static ReadOnlySpan<char> Next(ref ReadOnlySpan<char> path)
    {
        var slash = path.IndexOf('/');
        var head = slash < 0 ? path : path[..slash];
        path = slash < 0 ? [] : path[(slash + 1)..];
        return head;
    }

    private static FhirFailure Unknown() =>
        FhirFailure.Of(FailureKind.NotFound, "There is no such FHIR endpoint; GET [base]/metadata lists what is there.", code: "not-found");

    private static FhirFailure UnknownType(ReadOnlySpan<char> name)
    {
        foreach (var type in R4Model.ResourceTypes)
        {
            if (name.Equals(type, StringComparison.OrdinalIgnoreCase))
            {
                return FhirFailure.Of(FailureKind.NotFound, $"Resource types are written in their own case: '{type}'.", code: "not-supported");
            }
        }
        return FhirFailure.Of(FailureKind.NotFound, "The path names no resource type of FHIR R4.", code: "not-supported");
    }
}
