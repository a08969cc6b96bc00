using System.Globalization;
using FhirCore;
using Forecasting.Daily;
using Forecasting.Series;

namespace Forecasting.Serving;

public enum Granularity
{
    Day,
    Week,
    Hour,
}

/// <summary>In which form figures are given.</summary>
public enum AnswerForm
{
    /// <summary>A Parameters resource; or a MeasureReport, https://hl7.org/fhir/R4/measurereport.html, where the input <c>output</c> says so.</summary>
    Fhir,
    Csv,
    Svg,
}

/// <summary>One input of an operation, from the query or from Parameters.</summary>
/// <param name="Expression">Where it stands, for refusals.</param>
public readonly record struct OperationInput(string Name, string? Text, string Expression);

/// <summary>What is asked of the load.</summary>
/// <param name="Horizon">Days from today on, today among them.</param>
/// <param name="Percent">Of confidence.</param>
/// <param name="Parts">Type of resource that the subject's load is broken down by; null for no parts.</param>
internal sealed record LoadQuestion(int Horizon, Granularity Granularity, LoadMeasure Measure, int Percent, string? Parts, bool AsReport)
{
    private const int UsualHorizon = 28, UsualHorizonOfHours = 7, LongestHorizonOfHours = 31, UsualPercent = 80;

    private static readonly string[] ForecastInputs = ["horizon", "granularity", "measure", "confidence", "parts", "output"];
    private static readonly string[] CapacityInputs = ["horizon", "confidence"];

    public static Outcome<LoadQuestion> ReadForecast(IReadOnlyList<OperationInput> inputs, bool isInstance)
    {
        var read = new InputReader("$forecast", inputs, ForecastInputs);
        var granularity = read.OneOf("granularity", Granularity.Day, [("day", Granularity.Day), ("week", Granularity.Week), ("hour", Granularity.Hour)]);
        var (usual, longest) = granularity == Granularity.Hour ? (UsualHorizonOfHours, LongestHorizonOfHours) : (UsualHorizon, DailyForecaster.LongestHorizon);
        var question = new LoadQuestion(
            read.Number("horizon", usual, 1, longest, granularity == Granularity.Hour ? " where hours are asked for" : ""),
            granularity,
            read.OneOf("measure", LoadMeasure.Booked, [("demand", LoadMeasure.Demand), ("booked", LoadMeasure.Booked), ("attended", LoadMeasure.Attended)]),
            read.Confidence("confidence", UsualPercent),
            read.OneOf<string?>("parts", null, [("practitioner", "Practitioner"), ("location", "Location"), ("service", "HealthcareService")]),
            read.OneOf("output", false, [("parameters", false), ("measure-report", true)]));
        if (question.Parts is not null && !isInstance)
        {
            read.Refuse("parts", "parts breaks the load of one resource down: it is not for all of a type.", "not-supported");
        }
        return read.Failure is { } failure ? failure : question;
    }

    public static Outcome<LoadQuestion> ReadCapacity(IReadOnlyList<OperationInput> inputs)
    {
        var read = new InputReader("$capacity", inputs, CapacityInputs);
        var question = new LoadQuestion(read.Number("horizon", UsualHorizon, 1, DailyForecaster.LongestHorizon, ""), Granularity.Week, LoadMeasure.Demand, read.Confidence("confidence", UsualPercent), null, false);
        return read.Failure is { } failure ? failure : question;
    }
}

/// <summary>Reads the inputs of an operation; the first that is wrong is told.</summary>
internal sealed class InputReader
{
    private readonly IReadOnlyList<OperationInput> _inputs;

    public InputReader(string operation, IReadOnlyList<OperationInput> inputs, string[] known)
    {
        _inputs = inputs;
        foreach (var input in inputs)
        {
            if (!known.Contains(input.Name))
            {
                Refuse(input, $"{operation} has no input {NameHint(input.Name)}. It takes {string.Join(", ", known)}.", "not-supported");
            }
            else if (inputs.Count(other => other.Name == input.Name) > 1)
            {
                Refuse(input, $"{input.Name} may be given once.", "invalid");
            }
        }
    }

    public FhirFailure? Failure { get; private set; }

    public T OneOf<T>(string name, T usual, (string Code, T Value)[] offered)
    {
        if (Find(name) is not { } input)
        {
            return usual;
        }
        foreach (var (code, value) in offered)
        {
            if (code == input.Text)
            {
                return value;
            }
        }
        Refuse(input, $"{name} is one of {string.Join(", ", offered.Select(one => one.Code))}.", "value");
        return usual;
    }

    public int Number(string name, int usual, int least, int most, string where, string what = "a whole number of days")
    {
        if (Find(name) is not { } input)
        {
            return usual;
        }
        if (int.TryParse(input.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
        {
            return value;
        }
        Refuse(input, string.Create(CultureInfo.InvariantCulture, $"{name} is {what} from {least} to {most}{where}."), "value");
        return usual;
    }

    /// <returns>Whole percents.</returns>
    public int Confidence(string name, int usual)
    {
        if (Find(name) is not { } input)
        {
            return usual;
        }
        if (decimal.TryParse(input.Text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            && value * 100 is var percent && percent == decimal.Truncate(percent) && percent is >= IntervalTable.Lowest and <= IntervalTable.Highest)
        {
            return (int)percent;
        }
        Refuse(input, "confidence is a share in whole percents from 0.50 to 0.99.", "value");
        return usual;
    }

    public double Share(string name, double usual, double least, double most)
    {
        if (Find(name) is not { } input)
        {
            return usual;
        }
        if (double.TryParse(input.Text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
        {
            return value;
        }
        Refuse(input, string.Create(CultureInfo.InvariantCulture, $"{name} is a share from {least} to {most}."), "value");
        return usual;
    }

    public DateOnly? Date(string name)
    {
        if (Find(name) is not { } input)
        {
            return null;
        }
        if (DateOnly.TryParseExact(input.Text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) && day.Year is > 1900 and < 2200)
        {
            return day;
        }
        Refuse(input, $"{name} is a date such as 2030-01-31.", "value");
        return null;
    }

    /// <summary>A plus that a client forgot to escape in a query has become a space.</summary>
    public DateTimeOffset? Instant(string name)
    {
        if (Find(name) is not { } input)
        {
            return null;
        }
        if (Elements.ParseInstant(input.Text?.Replace(' ', '+')) is { } instant)
        {
            return instant;
        }
        Refuse(input, $"{name} is a time with its offset, such as 2030-01-31T09:30:00Z.", "value");
        return null;
    }

    public void Refuse(string name, string why, string code) => Refuse(Find(name)!.Value, why, code);

    private OperationInput? Find(string name)
    {
        foreach (var input in _inputs)
        {
            if (input.Name == name)
            {
                return input;
            }
        }
        return null;
    }

    private void Refuse(OperationInput input, string why, string code) => Failure ??= FhirFailure.Of(FailureKind.Invalid, why, input.Expression, code);

    /// <summary>A client's own text goes into an answer only where it looks like a name.</summary>
    private static string NameHint(string name) => name.Length <= 40 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') ? name : "of this name";
}
