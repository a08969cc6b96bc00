using Authorization.Access;
using FhirServer.Http;
using FhirServer.Operations;
using Forecasting;
using Forecasting.Serving;

namespace FhirServer.Forecasting;

/// <summary>The operations of forecasting over HTTP: path, inputs and form in, one call to <see cref="ForecastingApi"/>.</summary>
internal sealed class ForecastRoutes(ForecastingApi forecasting) : IFhirOperations
{
    private static readonly (AnswerForm Form, MediaType Media)[] Forms = [(AnswerForm.Csv, MediaType.Csv), (AnswerForm.Svg, MediaType.Svg)];

    public IReadOnlyList<OperationOffer> Offers(FhirBase @base, string? type) => ForecastTable.Offers(type);

    public bool Has(FhirRoute route) => ForecastTable.Find(route) is not null;

    public IReadOnlyList<MediaType> Media(FhirRoute route) => ForecastTable.Find(route) is not { } operation ? []
        : [.. Forms.Where(form => ForecastingApi.Offers(operation, form.Form)).Select(form => form.Media)];

    public async ValueTask<FhirReply> InvokeAsync(FhirRequest request, CancellationToken ct)
    {
        var operation = ForecastTable.Find(request.Route) ?? throw new ArgumentException("Not an operation of forecasting.", nameof(request));
        if (AccessDecision.Decide(request.Grant, Interaction.Operation, request.Route.Type, request.Route.Tail) is { } refusal)
        {
            return FhirReply.Refused(refusal);
        }
        if (!OperationInputs.Read(request).TryGet(out var inputs, out var failure))
        {
            return FhirReply.Refused(failure);
        }
        var figures = Figures.Of(request.Grant);
        var call = new ForecastingCall(operation, request.Route.Type!, request.Route.Id)
        {
            Inputs = inputs,
            Form = Forms.FirstOrDefault(form => form.Media == request.Media).Form, // none: FHIR
            BaseUrl = request.Base.Url,
            Figures = new(figures.Everything, figures.Organizations, figures.Practitioner),
            Caller = request.Caller,
        };
        return (await forecasting.InvokeAsync(call, ct)).TryGet(out var body, out failure)
            ? new() { Status = StatusCodes.Status200OK, Body = body, Media = request.Media }
            : FhirReply.Refused(failure);
    }
}
