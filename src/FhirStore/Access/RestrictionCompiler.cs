using System.Collections.Immutable;
using FhirCore;
using FhirStore.Indexing;
using FhirStore.Search;
using FhirStore.Search.Values;

namespace FhirStore.Access;

/// <summary>Makes search clauses of conditions. What a type cannot tell, no resource of it meets.</summary>
public sealed class RestrictionCompiler(SearchOptions options, TimeProvider clock)
{
    private const string Confidentiality = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
    private static readonly AnyOfClause Never = new([]);
    private readonly CriterionParser _criteria = new(new ValueParser(options.BaseUrl, clock));

    public Restriction Compile(string type, ResourceCondition condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        if (condition.IsEverything)
        {
            return Restriction.Everything;
        }
        var clause = Clause(type, condition);
        return clause is AnyOfClause { Clauses.IsEmpty: true } ? Restriction.Nothing : Restriction.To(clause);
    }

    /// <summary>Whether what stands behind the question mark of a granular scope can be enforced on the type: plain parameters, no modifiers, no chains.</summary>
    public bool IsEnforceable(string type, string filter)
    {
        var parameters = QueryText.Parse(filter);
        return !parameters.IsEmpty && parameters.All(p => Find(type, p.Key, p.Value) is not null);
    }

    /// <returns>True where a resource of this type can be in a patient's compartment.</returns>
    public static bool IsInCompartment(string type) => type == "Patient" || ParametersOf(type).Count > 0;

    /// <summary>R4 leaves Device out of the compartment, although a device has a patient.</summary>
    private static IReadOnlyList<string> ParametersOf(string type) => type == "Device" ? ["patient"] : PatientCompartment.ParametersOf(type);

    private SearchClause Clause(string type, ResourceCondition condition) => condition switch
    {
        ResourceCondition.InCompartment own => Compartment(type, [own.Patient]),
        ResourceCondition.OutsideCompartments others => Outside(type, others.Patients),
        ResourceCondition.Parameter parameter => Find(type, parameter.Name, parameter.Value) ?? Never,
        ResourceCondition.NotLabelled labels => NotLabelled(type, labels.Codes),
        ResourceCondition.AllOf all => new AllOfClause([.. all.Conditions.Select(c => Clause(type, c))]),
        ResourceCondition.AnyOf any => AnyOf([.. any.Conditions.Select(c => Clause(type, c))]),
        _ => throw new ArgumentOutOfRangeException(nameof(condition), condition, "Add the new condition here."),
    };

    private AnyOfClause Compartment(string type, ImmutableSortedSet<string> patients) =>
        type == "Patient" ? new([new IdClause(patients)]) : new([.. ByPatient(type, patients, negated: false)]);

    private SearchClause Outside(string type, ImmutableSortedSet<string> patients) => patients.IsEmpty
        ? new AllOfClause([])
        : type == "Patient" ? new IdClause(patients, negated: true) : new AllOfClause([.. ByPatient(type, patients, negated: true)]);

    private IEnumerable<SearchClause> ByPatient(string type, ImmutableSortedSet<string> patients, bool negated)
    {
        var parameters = SearchParameterCatalog.For(type);
        SearchValue value = patients.Count == 1
            ? new ReferenceValue($"Patient/{patients[0]}", null, options.BaseUrl)
            : new ReferenceSetValue(patients.Select(id => new ResourceKey("Patient", id)).ToHashSet(), options.BaseUrl);
        foreach (var name in ParametersOf(type))
        {
            yield return new ValueClause(parameters.Find(name) ?? throw new InvalidOperationException($"{type} has no parameter '{name}'."), [value], negated);
        }
    }

    private static ValueClause NotLabelled(string type, ImmutableArray<string> codes) =>
        new(SearchParameterCatalog.For(type).Find("_security")!, [.. codes.Select(code => new TokenValue(Confidentiality, code))], negated: true);

    private static AnyOfClause AnyOf(ImmutableArray<SearchClause> clauses) =>
        new([.. clauses.Where(clause => clause is not AnyOfClause { Clauses.IsEmpty: true })]);

    private SearchClause? Find(string type, string name, string value) =>
        !name.Contains(':', StringComparison.Ordinal) && value.Length > 0 && _criteria.Parse(type, name, value).TryGet(out var criterion, out _)
            ? (criterion as Criterion.Plain)?.Clause
            : null;
}
