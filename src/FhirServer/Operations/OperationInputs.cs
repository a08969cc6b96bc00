using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using FhirServer.Http;
using FhirStore.Json;
using Forecasting.Serving;

namespace FhirServer.Operations;

/// <summary>Inputs of an operation that takes primitives and references only: from the query of a GET, from the Parameters of a POST.</summary>
internal static class OperationInputs
{
    public static Outcome<ImmutableArray<OperationInput>> Read(FhirRequest request)
    {
        var inputs = ImmutableArray.CreateBuilder<OperationInput>();
        foreach (var (name, value) in request.Query)
        {
            if (name is not ("_format" or "_pretty"))
            {
                inputs.Add(new(name, value, name));
            }
        }
        if (request.Body.IsEmpty)
        {
            return inputs.ToImmutable();
        }
        if (!ResourceParser.Parse(request.Body, "Parameters").TryGet(out var resource, out var failure))
        {
            return failure;
        }
        var index = 0;
        foreach (var parameter in resource.Root.TryGetProperty("parameter", out var list) ? list.EnumerateArray() : default)
        {
            var expression = $"Parameters.parameter[{index++}]";
            if (parameter.EnumerateObject().FirstOrDefault(property => property.Name.StartsWith("value", StringComparison.Ordinal)) is not { Value.ValueKind: not JsonValueKind.Undefined } value)
            {
                return FhirFailure.Of(FailureKind.Invalid, "A parameter of this operation has a value.", expression, "required");
            }
            inputs.Add(new(parameter.GetProperty("name").GetString()!, TextOf(value.Value), $"{expression}.value"));
        }
        return inputs.ToImmutable();
    }

    private static string? TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Object => value.TryGetProperty("reference", out var reference) ? reference.GetString() : null,
        _ => value.GetRawText(),
    };
}
