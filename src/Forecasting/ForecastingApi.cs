using System.Collections.Immutable;
using FhirCore;
using FhirStore.Access;
using Forecasting.Serving;
using Forecasting.Wire;

namespace Forecasting;

/// <summary>Which operation is called.</summary>
public enum LoadOperation
{
    Forecast,
    Capacity,
}

/// <summary>One call of an operation.</summary>
/// <param name="Type">Of the resource in the path.</param>
/// <param name="Id">Null at the type.</param>
public sealed record ForecastingCall(LoadOperation Operation, string Type, string? Id)
{
    /// <summary>From the query, or from Parameters.</summary>
    public ImmutableArray<OperationInput> Inputs { get; init; } = [];

    public AnswerForm Form { get; init; }

    public required FiguresReach Figures { get; init; }

    /// <summary>What the caller may read; null is not limited.</summary>
    public ICaller? Caller { get; init; }
}

/// <summary>The operations on load, from their inputs to the bytes of the answer.</summary>
public sealed class ForecastingApi
{
    private readonly LoadAnswers _answers;
    private readonly CapacityAnswers _capacity;

    public ForecastingApi(ForecastingParts parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        (_answers, _capacity) = (parts.Answers, parts.Capacity);
    }

    /// <summary>Types whose load can be asked for.</summary>
    public static IReadOnlyList<string> Types => SubjectReader.Types;

    /// <summary>Whether an operation answers in this form.</summary>
    public static bool Offers(LoadOperation operation, AnswerForm form) => operation == LoadOperation.Forecast || form is AnswerForm.Fhir or AnswerForm.Csv;

    /// <returns>The answer in the form asked for.</returns>
    public async Task<Outcome<ReadOnlyMemory<byte>>> InvokeAsync(ForecastingCall call, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(call);
        var who = new LoadCall(call.Type, call.Id, call.Figures, call.Caller);
        return call.Operation switch
        {
            LoadOperation.Forecast => await ForecastAsync(call, who, ct),
            LoadOperation.Capacity => await CapacityAsync(call, who, ct),
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
