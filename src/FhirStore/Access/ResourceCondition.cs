using System.Collections.Immutable;

namespace FhirStore.Access;

/// <summary>Which resources of a type a right reaches, as plain data; <see cref="RestrictionCompiler"/> makes it a condition that searches and reads check.</summary>
public abstract record ResourceCondition
{
    private ResourceCondition()
    {
    }

    public static ResourceCondition Everything { get; } = new AllOf([]);

    public static ResourceCondition Nothing { get; } = new AnyOf([]);

    public bool IsEverything => this is AllOf { Conditions.IsEmpty: true };

    public bool IsNothing => this is AnyOf { Conditions.IsEmpty: true };

    /// <summary>In the compartment of a Patient, https://hl7.org/fhir/R4/compartmentdefinition-patient.html; of Patients only that one.</summary>
    /// <param name="Patient">Logical id.</param>
    public sealed record InCompartment(string Patient) : ResourceCondition;

    /// <summary>In the compartment of none of these Patients.</summary>
    public sealed record OutsideCompartments(ImmutableSortedSet<string> Patients) : ResourceCondition;

    /// <summary>Matches a search parameter: no modifier, no chain. A type without the parameter has no such resources.</summary>
    public sealed record Parameter(string Name, string Value) : ResourceCondition;

    /// <summary>Carries none of these codes of https://terminology.hl7.org/CodeSystem/v3-Confidentiality in <c>meta.security</c>.</summary>
    public sealed record NotLabelled(ImmutableArray<string> Codes) : ResourceCondition;

    public sealed record AllOf(ImmutableArray<ResourceCondition> Conditions) : ResourceCondition;

    public sealed record AnyOf(ImmutableArray<ResourceCondition> Conditions) : ResourceCondition;

    /// <summary>What all of them reach.</summary>
    public static ResourceCondition All(params IEnumerable<ResourceCondition> conditions)
    {
        var parts = ImmutableArray.CreateBuilder<ResourceCondition>();
        foreach (var condition in conditions)
        {
            if (condition.IsNothing)
            {
                return Nothing;
            }
            if (condition is AllOf all)
            {
                parts.AddRange(all.Conditions);
            }
            else
            {
                parts.Add(condition);
            }
        }
        return parts.Count switch { 0 => Everything, 1 => parts[0], _ => new AllOf(parts.DrainToImmutable()) };
    }

    /// <summary>What any of them reaches.</summary>
    public static ResourceCondition Any(params IEnumerable<ResourceCondition> conditions)
    {
        var parts = ImmutableArray.CreateBuilder<ResourceCondition>();
        foreach (var condition in conditions)
        {
            if (condition.IsEverything)
            {
                return Everything;
            }
            if (condition is AnyOf any)
            {
                parts.AddRange(any.Conditions);
            }
            else
            {
                parts.Add(condition);
            }
        }
        return parts.Count switch { 0 => Nothing, 1 => parts[0], _ => new AnyOf(parts.DrainToImmutable()) };
    }
}
