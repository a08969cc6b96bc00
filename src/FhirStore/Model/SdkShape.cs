using System.Reflection;
using Hl7.Fhir.Introspection;
using Hl7.Fhir.Model;
using Hl7.Fhir.Specification;
using Hl7.Fhir.Validation;

namespace FhirStore.Model;

/// <summary>
/// Reads one type's shape from the attributes of the SDK's class for it. The SDK's own inspector scans the whole assembly first,
/// which costs half a second; this costs a millisecond a type, on its first use.
/// </summary>
internal static class SdkShape
{
    /// <summary>R4's own types, then those that the SDK shares between releases.</summary>
    private static readonly Assembly[] Assemblies = [typeof(Patient).Assembly, typeof(StructureDefinition).Assembly, typeof(Resource).Assembly];

    /// <summary>Classes whose name is not the FHIR name with a capital.</summary>
    private static readonly Dictionary<string, Type> Renamed = new(StringComparer.Ordinal)
    {
        ["boolean"] = typeof(FhirBoolean),
        ["decimal"] = typeof(FhirDecimal),
        ["string"] = typeof(FhirString),
        ["uri"] = typeof(FhirUri),
        ["url"] = typeof(FhirUrl),
        ["dateTime"] = typeof(FhirDateTime),
        ["xhtml"] = typeof(XHtml),
        ["Reference"] = typeof(ResourceReference),
    };

    private static readonly HashSet<string> Names = new([.. R4Names.Resources, .. R4Names.OpenTypes, .. R4Names.OtherTypes], StringComparer.Ordinal);

    public static Type? ClrType(string name)
    {
        if (!Names.Contains(name))
        {
            return null;
        }
        if (Renamed.TryGetValue(name, out var renamed))
        {
            return renamed;
        }
        var clrName = $"Hl7.Fhir.Model.{char.ToUpperInvariant(name[0])}{name.AsSpan(1)}";
        foreach (var assembly in Assemblies)
        {
            if (assembly.GetType(clrName) is { } type)
            {
                return type;
            }
        }
        throw new InvalidOperationException($"The SDK has no class for {name}.");
    }

    public static TypeModel CreateType(Type type)
    {
        var name = type.IsGenericType ? "code" : NameOf(type);
        var primitive = typeof(PrimitiveType).IsAssignableFrom(type) ? Enum.Parse<PrimitiveKind>(name, ignoreCase: true) : PrimitiveKind.None;
        return new(name, type, typeof(Resource).IsAssignableFrom(type), primitive);
    }

    public static ElementModel[] ReadElements(Type type, string typeName)
    {
        var found = new List<(int Order, PropertyInfo Property, FhirElementAttribute Element)>();
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (Newest<FhirElementAttribute>(property) is { IsPrimitiveValue: false } element && Newest<NotMappedAttribute>(property) is null)
            {
                found.Add((element.Order, property, element));
            }
        }
        var elements = new List<ElementModel>(found.Count);
        var slot = 0;
        foreach (var (_, property, element) in found.OrderBy(f => f.Order))
        {
            AddElements(elements, typeName, slot++, property, element);
        }
        // The parser keeps one bit of 64 for each slot; the largest type has 51.
        return slot <= 64 ? [.. elements] : throw new InvalidOperationException($"{typeName} has more elements than the model can hold.");
    }

    private static void AddElements(List<ElementModel> elements, string typeName, int slot, PropertyInfo property, FhirElementAttribute element)
    {
        var isList = property.PropertyType.IsGenericType && property.PropertyType.GetGenericTypeDefinition() == typeof(List<>);
        var declared = isList ? property.PropertyType.GetGenericArguments()[0] : property.PropertyType;
        var min = Newest<CardinalityAttribute>(property)?.Min > 0 || R4Corrections.Mandatory.Contains($"{typeName}.{element.Name}") ? 1 : 0;
        var allowed = Newest<AllowedTypesAttribute>(property);
        var targets = Targets(property);
        switch (element.Choice)
        {
            case ChoiceType.DatatypeChoice:
                foreach (var type in ChoiceTypes(allowed, declared))
                {
                    var fhirName = NameOf(type);
                    Add($"{element.Name}{char.ToUpperInvariant(fhirName[0])}{fhirName.AsSpan(1)}", type, isChoice: true);
                }
                break;
            case ChoiceType.ResourceChoice:
                Add(element.Name, null, isChoice: false);
                break;
            default:
                Add(element.Name, allowed is { Types: [var only, ..] } ? only : declared, isChoice: false);
                break;
        }

        void Add(string jsonName, Type? type, bool isChoice)
        {
            var codeEnum = type is { IsGenericType: true } ? type.GetGenericArguments()[0] : null;
            var clrType = codeEnum is null ? type : typeof(Code);
            if (type == typeof(Code) && $"{typeName}.{jsonName}" == R4Corrections.ResourceTypeElement)
            {
                codeEnum = typeof(ResourceType);
            }
            elements.Add(new(jsonName, element.Name, isChoice, isList, min, slot, clrType, codeEnum, type == typeof(ResourceReference) ? targets : []));
        }
    }

    private static IEnumerable<Type> ChoiceTypes(AllowedTypesAttribute? allowed, Type declared)
    {
        if (allowed is null || allowed.OpenChoice)
        {
            return R4Names.OpenTypes.Select(name => ClrType(name)!);
        }
        // Types of later releases (integer64) stand among those of R4.
        return allowed.Types is { Length: > 0 } types ? types.Where(type => Names.Contains(NameOf(type))) : [declared];
    }

    private static string[] Targets(PropertyInfo property) =>
        Newest<ReferencesAttribute>(property)?.Resources is { Length: > 0 } names && !names.Contains("Resource", StringComparer.Ordinal) ? names : [];

    private static string NameOf(Type type) =>
        type.GetCustomAttribute<FhirTypeAttribute>()?.Name ?? throw new InvalidOperationException($"{type} is no FHIR type.");

    /// <summary>The SDK's classes serve several releases: the attribute that holds for R4 is the one with the highest release up to it.</summary>
    private static T? Newest<T>(PropertyInfo property)
        where T : FhirModelAttribute
    {
        T? newest = null;
        foreach (var candidate in property.GetCustomAttributes<T>())
        {
            if (candidate.Since <= FhirRelease.R4 && (newest is null || candidate.Since > newest.Since))
            {
                newest = candidate;
            }
        }
        return newest;
    }
}
