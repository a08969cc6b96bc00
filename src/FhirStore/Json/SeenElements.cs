using FhirStore.Model;

namespace FhirStore.Json;

internal enum Repeat : byte
{
    None,
    /// <summary>Another property filled the same choice, or the same element's underscore property did.</summary>
    SameChoice,
    SameProperty,
}

/// <summary>Which elements of one object have come, a bit for each.</summary>
internal struct SeenElements
{
    private ulong _values;
    private ulong _shadows;
    private bool _resourceType;

    public readonly ulong All => _values | _shadows;

    public readonly bool IsEmpty => All == 0 && !_resourceType;

    public Repeat AddValue(ElementModel element)
    {
        var repeat = Check(element, _values);
        _values |= 1UL << element.Slot;
        return repeat;
    }

    public Repeat AddShadow(ElementModel element)
    {
        var repeat = Check(element, _shadows);
        _shadows |= 1UL << element.Slot;
        return repeat;
    }

    /// <returns>True when it had come before.</returns>
    public bool AddResourceType()
    {
        var before = _resourceType;
        _resourceType = true;
        return before;
    }

    private readonly Repeat Check(ElementModel element, ulong ofItsKind)
    {
        var bit = 1UL << element.Slot;
        return (ofItsKind & bit) != 0 ? Repeat.SameProperty
            : element.IsChoice && (All & bit) != 0 ? Repeat.SameChoice
            : Repeat.None;
    }
}
