using System.Collections.Concurrent;
using Hl7.Fhir.Introspection;
using Hl7.Fhir.Specification;

namespace FhirStore.Model;

/// <summary>The codes of one enumeration that R4 binds as required.</summary>
internal sealed class CodeSet
{
    public static readonly IReadOnlySet<string> None = new HashSet<string>();

    private static readonly ConcurrentDictionary<Type, CodeSet> Known = new();
    private readonly Utf8Table<string> _utf8;
    private readonly EnumMapping _mapping;

    private CodeSet(string[] codes, EnumMapping mapping)
    {
        _mapping = mapping;
        All = codes.ToHashSet(StringComparer.Ordinal);
        _utf8 = new(codes, static code => code);
    }

    public IReadOnlySet<string> All { get; }

    public static CodeSet Of(Type codeEnum) => Known.GetOrAdd(codeEnum, static type =>
        !EnumMapping.TryGetMappingForEnum(type, FhirRelease.R4, out var mapping) ? throw new InvalidOperationException($"{type} is no enumeration of FHIR codes.")
            : new(R4Corrections.Codes.TryGetValue(type, out var codes) ? codes.Split(' ') : [.. mapping.Members.Keys], mapping));

    /// <returns>The code system that an element with this code means without saying so; null for a code that is not of the set.</returns>
    public string? SystemOf(string code) =>
        All.Contains(code) && _mapping.Members.TryGetValue(code, out var member) && member.System is { Length: > 0 } system ? system : null;

    public bool Contains(ReadOnlySpan<byte> utf8Code) => _utf8.Find(utf8Code) is not null;
}
