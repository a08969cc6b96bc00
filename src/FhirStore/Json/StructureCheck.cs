using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;
using FhirCore;
using FhirStore.Model;

namespace FhirStore.Json;

/// <summary>
/// One walk over a resource's JSON, side by side with the model of its type. Nesting is bounded by the JSON reader,
/// so the recursion is too.
/// </summary>
internal sealed class StructureCheck
{
    private readonly IssueLog _log = new();
    private readonly PrimitiveCheck _primitives;
    private readonly ReferenceCheck _references;
    private bool _inContained;

    public StructureCheck()
    {
        _references = new(_log);
        _primitives = new(_log, _references);
    }

    public ImmutableArray<Issue> Issues => _log.Close();

    /// <returns>Null where <see cref="Issues"/> says why not.</returns>
    public ParsedResource? Run(JsonElement root, string? expectedType, bool isBundleEntry = false)
    {
        if (TypeOf(root) is not { } type)
        {
            return null;
        }
        _log.Enter(type.Name);
        if (expectedType is not null && expectedType != type.Name)
        {
            _log.Add("structure", $"The body holds a resource of type {type.Name}; this request takes {expectedType}.");
            return null;
        }
        _references.EnterContainer(root, isBundleEntry);
        Object(root, type, null);
        return _log.IsEmpty ? new(type.Name, root.TryGetProperty("id"u8, out var id) ? id.GetString() : null, root) : null;
    }

    private TypeModel? TypeOf(JsonElement resource)
    {
        if (resource.ValueKind != JsonValueKind.Object)
        {
            _log.Add("structure", $"A resource is a JSON object; found {KindOf(resource)}.");
            return null;
        }
        foreach (var property in resource.EnumerateObject())
        {
            if (!JsonMarshal.GetRawUtf8PropertyName(property).SequenceEqual("resourceType"u8))
            {
                continue;
            }
            if (property.Value.ValueKind != JsonValueKind.String)
            {
                _log.Add("structure", $"resourceType is a string; found {KindOf(property.Value)}.");
                return null;
            }
            var raw = JsonMarshal.GetRawUtf8Value(property.Value)[1..^1];
            if (R4Model.ResourceType(raw) is { } name)
            {
                return R4Model.Find(name);
            }
            var unknown = JsonText.ToStringOrNull(raw) ?? "";
            _log.Add("structure", NameHints.LooksLikeName(unknown)
                ? $"R4 has no resource type {unknown}.{NameHints.ForResourceType(unknown)}"
                : "resourceType names no resource type of R4.");
            return null;
        }
        _log.Add("required", "resourceType is missing.");
        return null;
    }

    /// <param name="owner">The element that holds this object; null for a resource.</param>
    private void Object(JsonElement value, TypeModel type, ElementModel? owner)
    {
        var seen = new SeenElements();
        foreach (var property in value.EnumerateObject())
        {
            var name = JsonMarshal.GetRawUtf8PropertyName(property);
            if (type.Element(name) is { } element)
            {
                CheckRepeats(value, type, element, seen.AddValue(element));
                _log.Enter(element.PathName);
                Value(value, property.Value, element, type, owner);
                _log.Leave();
            }
            else if (name.Length > 1 && name[0] == (byte)'_' && type.Element(name[1..]) is { Type.IsPrimitive: true } primitive)
            {
                CheckRepeats(value, type, primitive, seen.AddShadow(primitive));
                _log.Enter(primitive.PathName);
                Shadow(value, property.Value, primitive);
                _log.Leave();
            }
            else if (!type.IsResource || !name.SequenceEqual("resourceType"u8))
            {
                Unknown(type, name);
            }
            else if (seen.AddResourceType())
            {
                _log.Add("structure", "resourceType stands twice.");
            }
        }
        if (seen.IsEmpty)
        {
            _log.Add("structure", "The object is empty: leave it out where there is no value.");
            return;
        }
        var missing = type.Mandatory & ~seen.All;
        if (missing != 0)
        {
            Missing(type, missing);
        }
        Invariants.Check(_log, type, value, seen.All);
    }

    private void CheckRepeats(JsonElement parent, TypeModel type, ElementModel element, Repeat repeat)
    {
        if (repeat == Repeat.None)
        {
            return;
        }
        if (element.IsChoice)
        {
            foreach (var property in parent.EnumerateObject())
            {
                var name = JsonMarshal.GetRawUtf8PropertyName(property);
                var other = type.Element(name) ?? (name.Length > 1 ? type.Element(name[1..]) : null);
                if (other is not null && other.Slot == element.Slot && other != element)
                {
                    _log.Add("structure", $"{element.PathName}[x] is a choice and takes one type; found {other.JsonName} and {element.JsonName}.", element.PathName);
                    return;
                }
            }
        }
        if (repeat == Repeat.SameProperty)
        {
            _log.Add("structure", $"The property {element.JsonName} stands twice in one object.", element.PathName);
        }
    }

    private void Value(JsonElement parent, JsonElement value, ElementModel element, TypeModel type, ElementModel? owner)
    {
        var kind = value.ValueKind;
        if (element.IsList)
        {
            if (kind == JsonValueKind.Array)
            {
                Items(parent, value, element, type, owner);
            }
            else
            {
                _log.Add("structure", $"{element.JsonName} may repeat, so it is an array; found {KindOf(value)}.");
            }
        }
        else if (kind is JsonValueKind.Array or JsonValueKind.Null)
        {
            _log.Add("structure", kind == JsonValueKind.Array
                ? $"{element.JsonName} does not repeat, so it is no array."
                : "There is no null in FHIR's JSON: leave the property out where there is no value.");
        }
        else
        {
            Single(value, element, type, owner);
        }
    }

    private void Items(JsonElement parent, JsonElement array, ElementModel element, TypeModel type, ElementModel? owner)
    {
        var index = 0;
        var nulls = 0;
        var isContained = element.Type is null && element.JsonName == "contained";
        if (isContained && _inContained)
        {
            _log.Add("invariant", "dom-2: a contained resource contains no further resources.");
            return;
        }
        foreach (var item in array.EnumerateArray())
        {
            _log.At(index++);
            if (item.ValueKind != JsonValueKind.Null)
            {
                Single(item, element, type, owner);
                continue;
            }
            nulls++;
            if (element.Type is not { IsPrimitive: true } || !parent.TryGetProperty("_" + element.JsonName, out _))
            {
                _log.Add("structure", "A null in an array only keeps the place of a primitive that has an id or extension in the underscore property.");
            }
        }
        if (index == 0)
        {
            _log.Add("structure", "The array is empty: leave the property out where there is no value.");
        }
        else if (nulls == index)
        {
            OnlyNulls(element.JsonName);
        }
        else if (isContained)
        {
            ContainedIds(array);
        }
    }

    private void Single(JsonElement value, ElementModel element, TypeModel type, ElementModel? owner)
    {
        if (element.Type is not { } itsType)
        {
            Nested(value, element, type);
        }
        else if (itsType.IsPrimitive)
        {
            _primitives.Check(value, element, itsType, type, owner);
        }
        else if (value.ValueKind == JsonValueKind.Object)
        {
            Object(value, itsType, element);
        }
        else
        {
            _log.Add("structure", $"{element.JsonName} is of type {itsType.Name}, so an object; found {KindOf(value)}.");
        }
    }

    /// <summary>A resource inside a resource: contained, or one of its own as a Bundle or Parameters holds it.</summary>
    private void Nested(JsonElement value, ElementModel element, TypeModel holder)
    {
        if (TypeOf(value) is not { } type)
        {
            return;
        }
        var wasInContained = _inContained;
        if (element.JsonName == "contained")
        {
            _inContained = true;
            Object(value, type, null);
        }
        else
        {
            _inContained = false;
            var outer = _references.EnterContainer(value, isBundleEntry: holder.Name == "Bundle.entry");
            Object(value, type, null);
            _references.LeaveContainer(outer);
        }
        _inContained = wasInContained;
    }

    private void ContainedIds(JsonElement array)
    {
        HashSet<string>? ids = null;
        var index = 0;
        foreach (var resource in array.EnumerateArray())
        {
            _log.At(index++);
            if (resource.ValueKind != JsonValueKind.Object)
            {
                continue;
            }
            if (!resource.TryGetProperty("id"u8, out var id))
            {
                _log.Add("required", "A contained resource has an id, by which it is referred to.", "id");
            }
            else if (id.ValueKind == JsonValueKind.String && JsonText.ToStringOrNull(JsonMarshal.GetRawUtf8Value(id)[1..^1]) is { } text && !(ids ??= []).Add(text))
            {
                _log.Add("value", "Another contained resource has the same id.", "id");
            }
        }
    }

    /// <summary>The <c>_x</c> beside a primitive <c>x</c>: its id and extensions.</summary>
    private void Shadow(JsonElement parent, JsonElement value, ElementModel element)
    {
        var hasValue = parent.TryGetProperty(element.JsonName, out var values);
        if (!element.IsList)
        {
            ShadowOf(value, element, hasValue);
            return;
        }
        if (value.ValueKind != JsonValueKind.Array)
        {
            _log.Add("structure", $"_{element.JsonName} goes with a repeating element, so it is an array; found {KindOf(value)}.");
            return;
        }
        var pair = hasValue && values.ValueKind == JsonValueKind.Array ? values : default;
        if (pair.ValueKind == JsonValueKind.Array && pair.GetArrayLength() != value.GetArrayLength())
        {
            _log.Add("structure", $"{element.JsonName} and _{element.JsonName} have not the same length: null keeps a place.");
            return;
        }
        if (value.GetArrayLength() == 0)
        {
            _log.Add("structure", $"The array _{element.JsonName} is empty: leave the property out.");
        }
        var partners = pair.ValueKind == JsonValueKind.Array ? pair.EnumerateArray() : default;
        var index = 0;
        var nulls = 0;
        foreach (var item in value.EnumerateArray())
        {
            var itemHasValue = pair.ValueKind == JsonValueKind.Array && partners.MoveNext() && partners.Current.ValueKind != JsonValueKind.Null;
            _log.At(index++);
            if (item.ValueKind != JsonValueKind.Null)
            {
                ShadowOf(item, element, itemHasValue);
                continue;
            }
            nulls++;
            if (!itemHasValue)
            {
                _log.Add("structure", $"Neither {element.JsonName} nor _{element.JsonName} has anything at this place.");
            }
        }
        if (nulls == index && index > 0)
        {
            OnlyNulls("_" + element.JsonName);
        }
    }

    private void OnlyNulls(string name)
    {
        _log.At(-1);
        _log.Add("structure", $"The array {name} holds nothing but null: leave the property out.");
    }

    private void ShadowOf(JsonElement value, ElementModel element, bool hasValue)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            _log.Add("structure", $"_{element.JsonName} holds id and extension, so an object; found {KindOf(value)}.");
            return;
        }
        Object(value, element.Type!, element);
        if (!hasValue && !value.TryGetProperty("extension"u8, out _))
        {
            _log.Add("invariant", "ele-1: an element has a value or extensions.");
        }
    }

    private void Unknown(TypeModel type, ReadOnlySpan<byte> rawName)
    {
        var name = JsonText.ToStringOrNull(rawName) ?? "";
        if (NameHints.LooksLikeName(name))
        {
            _log.Add("structure", $"{type.Name} has no element {name}.{NameHints.ForElement(type, name)}", name);
        }
        else
        {
            _log.Add("structure", $"{type.Name} has no element of this name; names of elements are letters and digits.");
        }
    }

    private void Missing(TypeModel type, ulong missing)
    {
        foreach (var element in type.Elements)
        {
            var bit = 1UL << element.Slot;
            if ((missing & bit) != 0)
            {
                missing &= ~bit;
                _log.Add("required", $"{element.PathName}{(element.IsChoice ? "[x]" : "")} is mandatory in {type.Name}.", element.PathName);
            }
        }
    }

    internal static string KindOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "true or false",
        _ => "null",
    };
}
