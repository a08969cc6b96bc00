using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace FhirStore.Model;

/// <summary>The shape of R4's resource and data types, read from the SDK's model on first use of a type and kept.</summary>
public static class R4Model
{
    private static readonly Utf8Table<string> ResourceNames = new(R4Names.Resources, static name => name);
    private static readonly HashSet<string> ResourceSet = new(R4Names.Resources, StringComparer.Ordinal);
    private static readonly ConcurrentDictionary<string, TypeModel> ByName = new(StringComparer.Ordinal);
    private static readonly ConcurrentDictionary<Type, TypeModel> ByClrType = new();

    /// <summary>The 146 resource types that can be stored (R4's list less the abstract Resource and DomainResource), ordinal order.</summary>
    public static IReadOnlyList<string> ResourceTypes => R4Names.Resources;

    public static bool IsResourceType([NotNullWhen(true)] string? name) => name is not null && ResourceSet.Contains(name);

    /// <summary>The resource type of that name as the one string instance that this model uses; null where R4 has none.</summary>
    public static string? ResourceType(ReadOnlySpan<byte> utf8Name) => ResourceNames.Find(utf8Name);

    /// <param name="name">A resource type, data type or primitive (<c>Patient</c>, <c>HumanName</c>, <c>dateTime</c>); also the abstract <c>Resource</c>, <c>DomainResource</c>, <c>Element</c> and <c>BackboneElement</c>.</param>
    /// <returns>Null where R4 has no such type.</returns>
    public static TypeModel? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (ByName.TryGetValue(name, out var known))
        {
            return known;
        }
        return SdkShape.ClrType(name) is { } type ? ByName.GetOrAdd(name, Of(type)) : null;
    }

    internal static TypeModel Of(Type type) => ByClrType.TryGetValue(type, out var known) ? known : ByClrType.GetOrAdd(type, SdkShape.CreateType(type));
}
