using System.Collections.Immutable;
using Authorization.Scopes;

namespace Authorization.Access;

/// <summary>What each operation needs. An operation that is not here is refused: a new one must say what it needs.</summary>
internal static class OperationRules
{
    /// <param name="Public">Needs no permission, and no token.</param>
    internal sealed record Rule(bool Public, ImmutableArray<(string Type, Permissions Needed)> Needs);

    private static readonly Rule Find = Needing(("Appointment", Permissions.Search), ("Slot", Permissions.Search));

    // The operation moves the slots itself, under its own rules: a client that may book need not be able to write Slots.
    private static readonly Rule Claim = Needing(("Appointment", Permissions.Create));
    private static readonly Rule Book = Needing(("Appointment", Permissions.Create | Permissions.Update));
    private static readonly Rule Change = Needing(("Appointment", Permissions.Update));
    private static readonly Rule Open = new(true, []);

    // Whose app it may be the operation itself asks: a person registers apps of their own alone.
    private static readonly Rule Device = Needing(("Patient", Permissions.Read));

    /// <param name="name">Without the dollar sign.</param>
    internal static Rule? Of(string name) => name switch
    {
        "find" => Find,
        "hold" => Claim,
        "book" => Book,
        "cancel" or "confirm" or "reschedule" => Change,
        "register-device" or "unregister-device" => Device,
        "versions" => Open,
        _ => null,
    };

    private static Rule Needing(params ImmutableArray<(string Type, Permissions Needed)> needs) => new(false, needs);
}
