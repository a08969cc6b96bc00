using FhirCore;
using FhirServer.Http;

namespace FhirServer.Scheduling;

/// <summary>The scheduling operations over HTTP.</summary>
internal sealed class SchedulingRoutes
{
    public ValueTask<FhirReply> InvokeAsync(FhirRequest request, CancellationToken ct) =>
        new(FhirReply.Refused(FhirFailure.Of(FailureKind.NotFound, $"There is no operation {request.Route.Tail} here.", code: "not-supported")));
}
