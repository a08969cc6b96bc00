using System.Text.Json;
using FhirCore;
using SchedulingOperations.Views;

namespace SchedulingOperations.Wire;

/// <summary>One input of an operation, from the query or from Parameters.</summary>
/// <param name="Text">Of a primitive, or of a Reference's reference.</param>
/// <param name="Value">The value or resource as JSON; undefined for an input from the query.</param>
internal readonly record struct InputPart(string Name, string? Text, JsonElement Value, bool IsResource, string Expression);

/// <summary>The input of an operation as a flat list.</summary>
internal sealed class OperationInput
{
    private OperationInput(JsonElement? bare, List<InputPart> parts) => (Bare, Parts) = (bare, parts);

    /// <summary>The Appointment, where it was sent as the body itself.</summary>
    public JsonElement? Bare { get; }

    public IReadOnlyList<InputPart> Parts { get; }

    public bool IsEmpty => Bare is null && Parts.Count == 0;

    public static Outcome<OperationInput> Read(SchedulingCall call)
    {
        var parts = new List<InputPart>();
        foreach (var (name, value) in call.Query)
        {
            parts.Add(new(name, value, default, false, name));
        }
        if (call.Body is not { } body)
        {
            return new OperationInput(null, parts);
        }
        var type = body.TryGetProperty("resourceType"u8, out var found) ? found.GetString() : null;
        switch (type)
        {
            case "Appointment":
                return new OperationInput(body, parts);
            case "Parameters":
                var index = 0;
                foreach (var parameter in new ElementList(body, "parameter"u8))
                {
                    if (!(ReadPart(parameter, $"Parameters.parameter[{index++}]")).TryGet(out var part, out var failure))
                    {
                        return failure;
                    }
                    parts.Add(part);
                }
                return new OperationInput(null, parts);
            default:
                return Refusals.Malformed("The body of this operation is a Parameters resource or an Appointment.", null, "structure");
        }
    }

    /// <returns>The only input of that name; null where there is none; a refusal where there are several.</returns>
    public Outcome<InputPart?> Single(string name)
    {
        InputPart? single = null;
        foreach (var part in Parts)
        {
            if (part.Name == name)
            {
                if (single is not null)
                {
                    return Refusals.Malformed($"{name} may be given once.", part.Expression);
                }
                single = part;
            }
        }
        return single;
    }

    public IEnumerable<InputPart> All(string name)
    {
        foreach (var part in Parts)
        {
            if (part.Name == name)
            {
                yield return part;
            }
        }
    }

    /// <returns>A refusal naming the first input that is not in the list; null where all are.</returns>
    public FhirFailure? RefuseOthers(string operation, params ReadOnlySpan<string> known)
    {
        foreach (var part in Parts)
        {
            if (!known.Contains(part.Name))
            {
                return Refusals.Malformed(ForeignNames.Contains(part.Name)
                    ? $"{operation} does not take {part.Name}: that dialect is not offered yet. It takes {string.Join(", ", known!)}, or a bare Appointment where the operation works on one."
                    : $"{operation} has no input {part.Name}. It takes {string.Join(", ", known!)}.", part.Expression, "not-supported");
            }
        }
        return null;
    }

    /// <summary>Names that Argonaut, Medplum, Epic and others give to inputs.</summary>
    private static readonly HashSet<string> ForeignNames =
        ["appt-id", "patient-id", "appointment", "slot", "patient", "appointmentNote", "service-type-reference", "slot-reference", "slot-identifier", "slot-status", "occurrence-count", "ignore-appointment", "coverage"];

    private static Outcome<InputPart> ReadPart(JsonElement parameter, string expression)
    {
        var name = parameter.TryGetProperty("name"u8, out var named) ? named.GetString() : null;
        if (name is null)
        {
            return Refusals.Malformed("A parameter has a name.", expression, "required");
        }
        foreach (var property in parameter.EnumerateObject())
        {
            if (property.NameEquals("resource"u8))
            {
                return new InputPart(name, null, property.Value, true, $"{expression}.resource");
            }
            if (property.Name.StartsWith("value", StringComparison.Ordinal))
            {
                var text = property.Value.ValueKind switch
                {
                    JsonValueKind.String => property.Value.GetString(),
                    JsonValueKind.Object => References.Text(property.Value),
                    _ => property.Value.GetRawText(),
                };
                return new InputPart(name, text, property.Value, false, $"{expression}.value");
            }
        }
        return Refusals.Malformed($"{name} has neither a value nor a resource.", expression, "required");
    }
}
