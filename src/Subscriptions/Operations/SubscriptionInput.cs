using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using Subscriptions.Json;

namespace Subscriptions.Operations;

/// <summary>Input of an operation: the query of a GET, or a Parameters resource.</summary>
public sealed class SubscriptionInput
{
    private readonly ILookup<string, string> _values;

    private SubscriptionInput(IEnumerable<KeyValuePair<string, string>> values) => _values = values.ToLookup(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);

    /// <param name="body">Null where there is none.</param>
    /// <param name="known">Names that the operation takes.</param>
    public static Outcome<SubscriptionInput> Read(ImmutableArray<KeyValuePair<string, string>> query, JsonElement? body, params ReadOnlySpan<string> known)
    {
        var values = new List<KeyValuePair<string, string>>(query);
        if (body is { } parameters)
        {
            if (parameters.Text("resourceType") != "Parameters")
            {
                return FhirFailure.Of(FailureKind.Invalid, "The operation takes a Parameters resource.", code: "structure");
            }
            var index = 0;
            foreach (var parameter in parameters.Items("parameter"))
            {
                if (parameter.ValueOf() is not { } value || value.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
                {
                    return FhirFailure.Of(FailureKind.Invalid, "A parameter of this operation has one simple value.", $"Parameters.parameter[{index}]", "value");
                }
                values.Add(new(parameter.Text("name") ?? "", value.ToString()));
                index++;
            }
        }
        foreach (var (name, _) in values)
        {
            if (!known.Contains(name))
            {
                return FhirFailure.Of(FailureKind.Invalid, $"The operation has no parameter of that name; it has {string.Join(", ", known.ToArray())}.", code: "not-supported");
            }
        }
        return new SubscriptionInput(values);
    }

    /// <summary>All values of a name.</summary>
    public IReadOnlyList<string> All(string name) => [.. _values[name]];

    public string? One(string name) => _values[name].FirstOrDefault();
}
