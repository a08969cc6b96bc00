using System.Text.Json;
using Authorization.Access;
using Authorization.Scopes;
using FhirCore;
using FhirServer.Http;
using FhirServer.Operations;
using FhirStore;
using FhirStore.Access;
using FhirStore.Json;
using Subscriptions.Reminders;

namespace FhirServer.Messages;

/// <summary>
/// <c>Patient/[id]/$register-device</c> and <c>$unregister-device</c>: to which apps push messages to a patient go. Input: Parameters with
/// <c>token</c>, the app's FCM registration token. The answer is 204.
/// </summary>
internal sealed class DeviceOperations(ReminderRoom room, ResourceStore store) : IFhirOperations
{
    private const string Register = "$register-device";
    private const string Unregister = "$unregister-device";

    public IReadOnlyList<OperationOffer> Offers(FhirBase @base, string? type) => type is not "Patient" ? [] :
        [.. ((string[])[Register, Unregister]).Select(name => new OperationOffer(name[1..], $"urn:fhir-server:operation:Patient-{name[1..]}"))];

    public bool Has(FhirRoute route) => route is { Kind: RouteKind.InstanceOperation, Type: "Patient", Tail: Register or Unregister };

    public async ValueTask<FhirReply> InvokeAsync(FhirRequest request, CancellationToken ct)
    {
        if (request.Method != "POST")
        {
            return FhirReply.MethodNotAllowed(request.Method, "POST");
        }
        var patient = request.Route.Key;
        if ((AccessDecision.Decide(request.Grant, Interaction.Operation, "Patient", request.Route.Tail) ?? CheckWhose(request.Grant, patient)) is { } refusal)
        {
            return FhirReply.Refused(refusal);
        }
        if (await store.ReadAsync(patient, ct) is not { Deleted: false } stored || request.Caller?.Reach(Use.Read, "Patient").Admits(stored) == false)
        {
            return FhirReply.Refused(FhirFailure.Of(FailureKind.NotFound, $"{patient} does not exist."));
        }
        if (!ReadToken(request).TryGet(out var token, out var failure))
        {
            return FhirReply.Refused(failure);
        }
        if (request.Route.Tail == Unregister)
        {
            await room.Devices.RemoveAsync(patient.Id, token, ct);
        }
        else if (await room.Devices.RegisterAsync(patient.Id, token, ct) is { } wrong)
        {
            return FhirReply.Refused(wrong);
        }
        return new() { Status = StatusCodes.Status204NoContent };
    }

    /// <summary>What goes to an app tells when somebody sees their doctor: a person adds their own apps, to their own record; a portal acts for its users.</summary>
    private static FhirFailure? CheckWhose(Grant grant, ResourceKey patient) => grant.User is { } user
        ? user.FhirUser == patient ? null : FhirFailure.Of(FailureKind.Forbidden, "Apps are registered by the patient whose they are.")
        : grant.Allows(Permissions.Update, "Patient") ? null : FhirFailure.Of(FailureKind.Forbidden, "A client that registers apps for patients needs a scope such as system/Patient.ru.", detail: Authorization.Tokens.BearerChallenge.InsufficientScope);

    private static Outcome<string> ReadToken(FhirRequest request)
    {
        if (!ResourceParser.Parse(request.Body, "Parameters").TryGet(out var parameters, out var failure))
        {
            return failure;
        }
        foreach (var part in parameters.Root.TryGetProperty("parameter"u8, out var parts) ? parts.EnumerateArray() : default)
        {
            if (part.TryGetProperty("name"u8, out var name) && name.ValueEquals("token"u8) && part.TryGetProperty("valueString"u8, out var value) && value.ValueKind == JsonValueKind.String)
            {
                return value.GetString()!;
            }
        }
        return FhirFailure.Of(FailureKind.Invalid, "token is required: the app's registration token, as valueString.", "Parameters.parameter", "required");
    }
}
