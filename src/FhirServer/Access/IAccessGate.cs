using FhirCore;
using FhirServer.Interactions;

namespace FhirServer.Access;

/// <summary>Who is asking, and may they.</summary>
public interface IAccessGate
{
    ValueTask<Outcome<Caller>> AuthenticateAsync(string? authorization, CancellationToken ct);

    /// <param name="type">Null for an interaction of the whole system.</param>
    /// <returns>Null where it is allowed.</returns>
    FhirFailure? Decide(Caller caller, FhirInteraction interaction, string? type);
}
