using System.Collections.Immutable;

namespace Authorization.Scopes;

/// <summary>Scopes that give no resources but say something about the sign-in: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html.</summary>
public static class SignInScopes
{
    public const string OpenId = "openid";
    public const string FhirUser = "fhirUser";
    public const string Launch = "launch";
    public const string LaunchPatient = "launch/patient";

    /// <summary>Refresh tokens that go on after the user has left.</summary>
    public const string OfflineAccess = "offline_access";

    /// <summary>Refresh tokens that end with the user's session.</summary>
    public const string OnlineAccess = "online_access";

    public static readonly ImmutableArray<string> All = [OpenId, FhirUser, Launch, LaunchPatient, OfflineAccess, OnlineAccess];
}
