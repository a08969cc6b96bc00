using System.Text.Json;
using FhirStore.Indexing;

namespace FhirStore.Search.Values;

/// <summary>A date of any precision with its prefix, compared as spans of time (https://hl7.org/fhir/R4/search.html#date).</summary>
internal sealed class DateValue(Comparison comparison, DateInterval value) : SearchValue
{
    public Comparison Comparison => comparison;

    /// <summary>Of <c>ap</c>: already widened.</summary>
    public DateInterval Value => value;

    public override bool Matches(JsonElement element, ElementShape shape) => DateInterval.Of(element, shape) is { } target && IsMatch(target);

    public bool IsMatch(DateInterval target)
    {
        var inside = value.Start <= target.Start && target.End <= value.End;
        return comparison switch
        {
            Comparison.Eq => inside,
            Comparison.Ne => !inside,
            Comparison.Gt => target.End > value.End,
            Comparison.Lt => target.Start < value.Start,
            Comparison.Ge => inside || target.End > value.End,
            Comparison.Le => inside || target.Start < value.Start,
            Comparison.Sa => target.Start >= value.End,
            Comparison.Eb => target.End <= value.Start,
            Comparison.Ap => target.Start < value.End && value.Start < target.End,
            _ => throw new ArgumentOutOfRangeException(nameof(comparison), comparison, "Add the new comparison here."),
        };
    }

    public override Cover Cover(ParameterIndex index) => index is IDateIndex dates ? dates.Find(comparison, value) : Indexing.Cover.Unknown;
}
