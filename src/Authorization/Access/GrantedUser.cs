using System.Collections.Immutable;
using FhirCore;

namespace Authorization.Access;

/// <summary>The person in whose name a token acts, as their account stands now: not as it stood when the token was issued.</summary>
/// <param name="AccountId">The token's <c>sub</c>.</param>
/// <param name="FhirUser">The Patient, Practitioner, RelatedPerson or Person they are; null where no one has linked them yet.</param>
public sealed record GrantedUser(string AccountId, ResourceKey? FhirUser, ImmutableArray<HeldRole> Roles);

/// <summary>What was in view when the app was launched: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html.</summary>
/// <param name="Patient">Id of the Patient that <c>patient/</c> scopes speak of.</param>
/// <param name="Encounter">Id of the Encounter.</param>
public sealed record LaunchContext(string? Patient, string? Encounter = null);
