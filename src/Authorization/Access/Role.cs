namespace Authorization.Access;

/// <summary>What a person is to the clinic. <see cref="RoleRights"/> says which rights its holder has; scopes of an app can only narrow them.</summary>
public enum Role
{
    /// <summary>Sees and manages what is in the compartment of their own Patient.</summary>
    Patient,
    Practitioner,
    Receptionist,
    /// <summary>Plans schedules and sees figures, no clinical content.</summary>
    Manager,
    /// <summary>Reads the audit trail, nothing else.</summary>
    Auditor,
    /// <summary>Invites staff, registers apps; sees no patient's data by that alone.</summary>
    Administrator,
}

/// <param name="Organization">Id of the Organization it is held at; null for the whole server.</param>
public readonly record struct HeldRole(Role Role, string? Organization = null);
