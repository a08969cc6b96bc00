namespace Authorization.Scopes;

/// <summary>The five letters of a SMART v2 scope, https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html.</summary>
[Flags]
public enum Permissions : byte
{
    None = 0,
    Create = 1,
    /// <summary>read, vread, history of one resource.</summary>
    Read = 2,
    /// <summary>update, also where it creates, and patch.</summary>
    Update = 4,
    Delete = 8,
    /// <summary>search and history of a type or of the whole system.</summary>
    Search = 16,
    All = Create | Read | Update | Delete | Search,
}
