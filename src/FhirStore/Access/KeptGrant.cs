using System.Collections.Immutable;

namespace FhirStore.Access;

/// <summary>
/// What somebody was granted, as plain data that outlives the request: whoever acts in their name later asks again what of it still
/// stands. A right is never taken from here alone.
/// </summary>
public sealed record KeptGrant
{
    public required string ClientId { get; init; }

    /// <summary>SMART scopes, as the token said them.</summary>
    public required ImmutableArray<string> Scopes { get; init; }

    /// <summary>Id of the account the client acted for; null where it acted for itself.</summary>
    public string? Account { get; init; }

    /// <summary>Id of the Patient in view.</summary>
    public string? Patient { get; init; }

    /// <summary>Id of the Encounter in view.</summary>
    public string? Encounter { get; init; }

    /// <summary>Id of what the user agreed to, and can take back; null where nobody was asked.</summary>
    public string? Agreement { get; init; }

    /// <summary>The user agreed to access while they are away.</summary>
    public bool WhileAway { get; init; }

    /// <summary>Tells those apart who act: 32 hexadecimal digits, the same for the same client and account.</summary>
    public required string Owner { get; init; }
}
