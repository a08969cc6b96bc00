using System.Diagnostics.CodeAnalysis;

namespace FhirStore.Model;

/// <summary>The shape of R4's resource and data types, read from the SDK's model on first use of a type and kept.</summary>
public static class R4Model
{
    /// <summary>The 148 resource types that can be stored, ordinal order.</summary>
    public static IReadOnlyList<string> ResourceTypes => throw new NotImplementedException();

    public static bool IsResourceType([NotNullWhen(true)] string? name) => throw new NotImplementedException();

    /// <param name="name">A resource type, data type or primitive (<c>Patient</c>, <c>HumanName</c>, <c>dateTime</c>).</param>
    /// <returns>Null where R4 has no such type.</returns>
    public static TypeModel? Find(string name) => throw new NotImplementedException();
}
