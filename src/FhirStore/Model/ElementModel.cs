namespace FhirStore.Model;

/// <summary>One JSON property that a type may have.</summary>
public sealed class ElementModel
{
    private readonly Type? _clrType;
    private readonly Type? _codeEnum;
    private TypeModel? _type;
    private CodeSet? _codes;

    internal ElementModel(
        string jsonName, string pathName, bool isChoice, bool isList, int min, int slot, Type? clrType, Type? codeEnum, string[] referenceTargets)
    {
        JsonName = jsonName;
        PathName = pathName;
        IsChoice = isChoice;
        IsList = isList;
        Min = min;
        Slot = slot;
        _clrType = clrType;
        _codeEnum = codeEnum;
        ReferenceTargets = referenceTargets;
    }

    /// <summary><c>valueQuantity</c>.</summary>
    public string JsonName { get; }

    /// <summary><c>value</c> for a choice, else the JSON name.</summary>
    public string PathName { get; }

    public bool IsChoice { get; }

    public bool IsList { get; }

    /// <summary>0 or 1. Of a choice: of the choice as a whole.</summary>
    public int Min { get; }

    /// <summary>Null where the element holds any resource (<c>contained</c>, <c>Bundle.entry.resource</c>).</summary>
    public TypeModel? Type => _type ?? (_clrType is null ? null : _type = R4Model.Of(_clrType));

    /// <summary>Codes of a required binding to a fixed enumeration; empty where there is none.</summary>
    public IReadOnlySet<string> RequiredCodes => Codes?.All ?? CodeSet.None;

    /// <summary>Resource types a Reference may point at; empty allows any.</summary>
    public IReadOnlyList<string> ReferenceTargets { get; }

    /// <summary>Number of the element within its type; the types of one choice share it.</summary>
    internal int Slot { get; }

    internal CodeSet? Codes => _codes ?? (_codeEnum is null ? null : _codes = CodeSet.Of(_codeEnum));

    public override string ToString() => JsonName;
}
