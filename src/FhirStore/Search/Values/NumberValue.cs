using System.Text.Json;
using FhirStore.Indexing;

namespace FhirStore.Search.Values;

/// <summary>
/// A number with its prefix. Equality allows for half of the last place given; the other prefixes take the number as exact
/// (https://hl7.org/fhir/R4/search.html#number).
/// </summary>
internal sealed class NumberValue : SearchValue
{
    private const decimal Limit = 1e28m;
    private readonly Comparison _comparison;
    private readonly decimal _number;
    private readonly decimal _from;
    private readonly decimal _below;

    public NumberValue(Comparison comparison, decimal number, decimal half)
    {
        _comparison = comparison;
        _number = number;
        var reach = comparison == Comparison.Ap ? Math.Max(half, Math.Abs(number) / 10) : half;
        var fits = Math.Abs(number) < Limit && reach < Limit;
        _from = fits ? number - reach : number;
        _below = fits ? number + reach : number;
    }

    public override bool Matches(JsonElement element, ElementShape shape) => NumberInterval.Of(element, shape) is { } target && IsMatch(target);

    public bool IsMatch(NumberInterval target)
    {
        var inside = _from <= target.Low && (target.High < _below || (_from == _below && target.High == _below));
        return _comparison switch
        {
            Comparison.Eq => inside,
            Comparison.Ne => !inside,
            Comparison.Gt => target.High > _number,
            Comparison.Ge => target.High >= _number,
            Comparison.Lt => target.Low < _number,
            Comparison.Le => target.Low <= _number,
            Comparison.Sa => target.Low > _number,
            Comparison.Eb => target.High < _number,
            Comparison.Ap => target.Low <= _below && _from <= target.High,
            _ => throw new ArgumentOutOfRangeException(nameof(target), _comparison, "Add the new comparison here."),
        };
    }

    public override Cover Cover(ParameterIndex index) => index is not NumberIndex numbers ? Indexing.Cover.Unknown : _comparison switch
    {
        Comparison.Eq => numbers.Find(_from, _below),
        Comparison.Gt or Comparison.Ge or Comparison.Sa => numbers.Find(_number, decimal.MaxValue),
        Comparison.Lt or Comparison.Le or Comparison.Eb => numbers.Find(decimal.MinValue, _number),
        _ => Indexing.Cover.Unknown,
    };
}

/// <summary><c>number|system|code</c> or <c>number||code</c> (code or unit), https://hl7.org/fhir/R4/search.html#quantity. Units are not converted.</summary>
internal sealed class QuantityValue(NumberValue number, string? system, string? code) : SearchValue
{
    private const string Currencies = "urn:iso:std:iso:4217";

    public override bool Matches(JsonElement element, ElementShape shape) => IsUnit(element, shape) && number.Matches(element, shape);

    public override Cover Cover(ParameterIndex index) => number.Cover(index);

    private bool IsUnit(JsonElement element, ElementShape shape)
    {
        if (string.IsNullOrEmpty(system) && string.IsNullOrEmpty(code))
        {
            return true;
        }
        switch (shape)
        {
            case ElementShape.Quantity:
                return HasUnit(element);
            case ElementShape.Money:
                return (string.IsNullOrEmpty(system) || system == Currencies) && (string.IsNullOrEmpty(code) || JsonText.String(element, "currency"u8) == code);
            case ElementShape.Range:
                var any = false;
                foreach (var end in element.EnumerateObject())
                {
                    if (end.NameEquals("low"u8) || end.NameEquals("high"u8))
                    {
                        if (!HasUnit(end.Value))
                        {
                            return false;
                        }
                        any = true;
                    }
                }
                return any;
            default:
                return false;
        }
    }

    private bool HasUnit(JsonElement quantity) => string.IsNullOrEmpty(system)
        ? JsonText.String(quantity, "code"u8) == code || JsonText.String(quantity, "unit"u8) == code
        : JsonText.String(quantity, "system"u8) == system && (string.IsNullOrEmpty(code) || JsonText.String(quantity, "code"u8) == code);
}
