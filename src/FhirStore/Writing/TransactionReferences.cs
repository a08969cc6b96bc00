using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using FhirCore;
using FhirStore.Json;
using FhirStore.Search;

namespace FhirStore.Writing;

/// <summary>
/// What references between the entries of a transaction become: <c>urn:uuid:…</c> (or any fullUrl) the resource it was given to,
/// <c>Patient?identifier=…</c> the one resource that matches. https://hl7.org/fhir/R4/http.html#transaction
/// </summary>
internal sealed class TransactionReferences
{
    private static readonly TransactionReferences None = new([]);
    private readonly Dictionary<string, string> _names;

    private TransactionReferences(Dictionary<string, string> names) => _names = names;

    public int Count => _names.Count;

    public static async ValueTask<Outcome<TransactionReferences>> ResolveAsync(
        ImmutableArray<WriteRequest> requests, Func<int, ResourceKey?> keyOf, CriteriaMatcher matcher, WritePlan plan, CancellationToken ct)
    {
        Dictionary<string, string>? names = null;
        var isTransaction = requests.Length > 1;
        for (var i = 0; i < requests.Length; i++)
        {
            isTransaction |= requests[i].InTransaction;
            if (requests[i].FullUrl is { } fullUrl)
            {
                isTransaction = true;
                if (keyOf(i) is { } key)
                {
                    (names ??= [])[fullUrl] = key.ToString();
                }
            }
        }
        if (!isTransaction)
        {
            return None;
        }
        foreach (var request in requests)
        {
            if (request.Body is not { } resource)
            {
                continue;
            }
            foreach (var conditional in ConditionalReferences(resource.Root))
            {
                names ??= [];
                if (names.ContainsKey(conditional))
                {
                    continue;
                }
                if (!(await FindAsync(conditional, matcher, plan, ct)).TryGet(out var key, out var failure))
                {
                    return failure with { Issues = [.. failure.Issues.Select(issue => issue with { Expression = request.Location })] };
                }
                names[conditional] = key.ToString();
            }
        }
        return names is null ? None : new TransactionReferences(names);
    }

    public JsonElement Apply(JsonElement resource)
    {
        var id = resource.TryGetProperty("id", out var given) ? given.GetString()! : "x"; // both are set again when the write is encoded
        var bytes = CanonicalJson.Write(resource, id, 1, DateTimeOffset.UnixEpoch, Rename);
        using var document = JsonDocument.Parse(bytes);
        return document.RootElement.Clone();
    }

    private string? Rename(string reference)
    {
        if (_names.TryGetValue(reference, out var name))
        {
            return name;
        }
        // A reference to a version or part of an entry: urn:uuid:…/_history/1 or urn:uuid:…#x.
        var cut = reference.AsSpan().IndexOfAny('#', '?');
        return cut > 0 && _names.TryGetValue(reference[..cut], out name) ? name + reference[cut..] : null;
    }

    private static async ValueTask<Outcome<ResourceKey>> FindAsync(string conditional, CriteriaMatcher matcher, WritePlan plan, CancellationToken ct)
    {
        var question = conditional.IndexOf('?', StringComparison.Ordinal);
        var type = conditional[..question];
        if (!(await matcher.FindAsync(type, QueryText.Parse(conditional.AsSpan(question + 1)), plan, ct)).TryGet(out var match, out var failure))
        {
            return failure;
        }
        return match is not null
            ? match.Key
            : FhirFailure.Of(FailureKind.Stale, $"A conditional reference to {type} matches nothing; it must match exactly one.", code: "not-found");
    }

    private static IEnumerable<string> ConditionalReferences(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                {
                    if (property.Value.ValueKind == JsonValueKind.String)
                    {
                        if (property.NameEquals("reference"u8) && property.Value.GetString() is { } text && IsConditional(text))
                        {
                            yield return text;
                        }
                        continue;
                    }
                    foreach (var found in ConditionalReferences(property.Value))
                    {
                        yield return found;
                    }
                }
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                {
                    foreach (var found in ConditionalReferences(item))
                    {
                        yield return found;
                    }
                }
                break;
        }
    }

    private static bool IsConditional(string reference) =>
        reference.IndexOf('?', StringComparison.Ordinal) is var at and > 0 && Model.R4Model.IsResourceType(reference[..at]);
}
