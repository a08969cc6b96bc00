using System.Collections.Immutable;
using Authorization.Scopes;

namespace Authorization.Access;

/// <summary>What each operation needs. An operation that is not here is refused: a new one must say what it needs.</summary>
internal static class OperationRules
{
    /// <param name="Public">Needs no permission, and no token.</param>
    internal sealed record Rule(bool Public, ImmutableArray<(string Type, Permissions Needed)> Needs)
    {
        /// <summary>Of users those with one of these roles, through an app that speaks for the user and not for a patient; empty asks for none.</summary>
        public ImmutableArray<Role> Roles { get; init; } = [];
    }

    private static readonly Rule Find = Needing(("Appointment", Permissions.Search), ("Slot", Permissions.Search));

    // The operation moves the slots itself, under its own rules: a client that may book need not be able to write Slots.
    private static readonly Rule Claim = Needing(("Appointment", Permissions.Create));
    private static readonly Rule Book = Needing(("Appointment", Permissions.Create | Permissions.Update));
    private static readonly Rule Change = Needing(("Appointment", Permissions.Update));
    private static readonly Rule Hear = Needing(("Subscription", Permissions.Read));
    private static readonly Rule Open = new(true, []);

    // What slots say of the load, added up: who may see every slot's state, and works with the figures.
    private static readonly Rule Figures = Needing(("Schedule", Permissions.Read | Permissions.Search), ("Slot", Permissions.Search)) with { Roles = [Role.Manager, Role.Practitioner] };

    // Of one patient, so for those who see the appointment; and no patient is told a number about themselves.
    private static readonly Rule Risk = Needing(("Appointment", Permissions.Read)) with { Roles = [Role.Practitioner, Role.Receptionist] };
    private static readonly Rule Waitlist = Needing(("Schedule", Permissions.Read), ("Appointment", Permissions.Search)) with { Roles = [Role.Practitioner, Role.Receptionist] };

    // Whose app it may be the operation itself asks: a person registers apps of their own alone.
    private static readonly Rule Device = Needing(("Patient", Permissions.Read));

    /// <param name="name">Without the dollar sign.</param>
    internal static Rule? Of(string name) => name switch
    {
        "find" => Find,
        "hold" => Claim,
        "book" => Book,
        "cancel" or "confirm" or "reschedule" => Change,
        "forecast" or "capacity" or "overbooking" => Figures,
        "no-show-risk" => Risk,
        "waitlist" => Waitlist,
        "status" or "events" or "get-ws-binding-token" => Hear,
        "resend" => Needing(("Subscription", Permissions.Read | Permissions.Update)),
        "register-device" or "unregister-device" => Device,
        "versions" => Open,
        _ => null,
    };

    private static Rule Needing(params ImmutableArray<(string Type, Permissions Needed)> needs) => new(false, needs);
}
