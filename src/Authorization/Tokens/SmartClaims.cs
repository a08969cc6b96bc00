using System.Security.Claims;
using System.Text.Json;
using Authorization.Launch;
using Authorization.Records;
using OpenIddict.Abstractions;

namespace Authorization.Tokens;

/// <summary>What our tokens say beside what OpenID and OAuth know. Claims without a destination stay in codes and refresh tokens, which only we can open.</summary>
internal static class SmartClaims
{
    public const string Patient = "patient";
    public const string Encounter = "encounter";
    public const string FhirUser = "fhirUser";

    /// <summary>All that the user granted: a refresh may ask for less once and for all of it again later.</summary>
    public const string Granted = "smart_granted";

    /// <summary>Id of the browser session that <c>online_access</c> ends with.</summary>
    public const string Session = "smart_session";

    /// <summary>The launch as a whole. Access tokens have it where it says more than patient and encounter, for introspection to tell it.</summary>
    public const string Context = "smart_context";

    extension(ClaimsPrincipal principal)
    {
        public SmartLaunch Launch
        {
            get => principal.GetClaim(Context) is { } json ? JsonSerializer.Deserialize(json, RecordJson.Default.SmartLaunch)! : new();
            set => principal.SetClaim(Context, JsonSerializer.Serialize(value, RecordJson.Default.SmartLaunch));
        }
    }
}
