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

    private CodeSet(string[] codes)
    {
        All = codes.ToHashSet(StringComparer.Ordinal);
        _utf8 = new(codes, static code => code);
    }

    public IReadOnlySet<string> All { get; }

    public static CodeSet Of(Type codeEnum) => Known.GetOrAdd(codeEnum, static type =>
        R4Corrections.Codes.TryGetValue(type, out var codes) ? new(codes.Split(' '))
            : EnumMapping.TryGetMappingForEnum(type, FhirRelease.R4, out var mapping) ? new([.. mapping.Members.Keys])
            : throw new InvalidOperationException($"{type} is no enumeration of FHIR codes."));

    public bool Contains(ReadOnlySpan<byte> utf8Code) => _utf8.Find(utf8Code) is not null;
}
