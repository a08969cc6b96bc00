using System.Collections.Immutable;
using FhirCore;
using FhirStore.Access;
using Forecasting.NoShow;
using Forecasting.Serving;
using Forecasting.Wire;

namespace Forecasting;

/// <summary>Which operation is called.</summary>
public enum ForecastingOperation
{
    /// <summary>The load ahead, of one subject or all of a type.</summary>
    Forecast,
    /// <summary>The demand ahead against the slots there are.</summary>
    Capacity,
    /// <summary>How likely an appointment is to be missed.</summary>
    NoShowRisk,
    /// <summary>How many patients more the sessions of a schedule can take.</summary>
    Overbooking,
    /// <summary>Who should be asked next when a time becomes free.</summary>
    Waitlist,
}

/// <summary>One call of an operation.</summary>
/// <param name="Type">Of the resource in the path.</param>
/// <param name="Id">Null at the type.</param>
public sealed record ForecastingCall(ForecastingOperation Operation, string Type, string? Id)
{
    /// <summary>From the query, or from Parameters.</summary>
    public ImmutableArray<OperationInput> Inputs { get; init; } = [];

    public AnswerForm Form { get; init; }

    public required FiguresReach Figures { get; init; }

    /// <summary>Of the FHIR base the call came by, without a slash at its end.</summary>
    public required string BaseUrl { get; init; }

    /// <summary>What the caller may read; null is not limited.</summary>
    public ICaller? Caller { get; init; }
}

/// <summary>The operations of this room, from their inputs to the bytes of the answer.</summary>
public sealed class ForecastingApi
{
    private readonly LoadAnswers _answers;
    private readonly CapacityAnswers _capacity;
    private readonly NoShowAnswers _noShow;

    public ForecastingApi(ForecastingParts parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        (_answers, _capacity, _noShow) = (parts.Answers, parts.Capacity, parts.NoShow);
    }

    /// <summary>Types whose load can be asked for.</summary>
    public static IReadOnlyList<string> Types => SubjectReader.Types;

    /// <summary>Whether an operation answers in this form.</summary>
    public static bool Offers(ForecastingOperation operation, AnswerForm form) => form switch
    {
        AnswerForm.Fhir => true,
        AnswerForm.Csv => operation is ForecastingOperation.Forecast or ForecastingOperation.Capacity,
        AnswerForm.Svg => operation is ForecastingOperation.Forecast,
        _ => false,
    };

    /// <returns>The answer in the form asked for.</returns>
    public async Task<Outcome<ReadOnlyMemory<byte>>> InvokeAsync(ForecastingCall call, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(call);
        var who = new LoadCall(call.Type, call.Id, call.Figures, call.Caller);
        return call.Operation switch
        {
            ForecastingOperation.Forecast => await ForecastAsync(call, who, ct),
            ForecastingOperation.Capacity => await CapacityAsync(call, who, ct),
            ForecastingOperation.NoShowRisk => await _noShow.RiskAsync(who, call.Inputs, ct),
            ForecastingOperation.Overbooking => await _noShow.OverbookAsync(who, call.Inputs, ct),
            ForecastingOperation.Waitlist => await _noShow.WaitAsync(who, call.Inputs, call.BaseUrl, ct),
            _ => throw new ArgumentOutOfRangeException(nameof(call), call.Operation, "Add the new operation to this table."),
        };
    }

    private async Task<Outcome<ReadOnlyMemory<byte>>> ForecastAsync(ForecastingCall call, LoadCall who, CancellationToken ct)
    {
        if (!LoadQuestion.ReadForecast(call.Inputs, call.Id is not null).TryGet(out var question, out var failure)
            || !(await _answers.ForecastAsync(who, question, ct)).TryGet(out var forecasts, out failure))
        {
            return failure;
        }
        return call.Form switch
        {
            AnswerForm.Csv => ForecastCsv.Write(forecasts, question),
            AnswerForm.Svg => ForecastChart.Write(forecasts, question),
            _ when question.AsReport => ForecastReport.Write(forecasts, question, call.Id is not null),
            _ => ForecastParameters.Write(forecasts, question),
        };
    }

    private async Task<Outcome<ReadOnlyMemory<byte>>> CapacityAsync(ForecastingCall call, LoadCall who, CancellationToken ct)
    {
        if (!LoadQuestion.ReadCapacity(call.Inputs).TryGet(out var question, out var failure)
            || !(await _capacity.RunAsync(who, question, ct)).TryGet(out var capacities, out failure))
        {
            return failure;
        }
        return call.Form == AnswerForm.Csv ? ForecastCsv.Write(capacities) : CapacityParameters.Write(capacities, question);
    }
}
