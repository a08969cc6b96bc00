using System.Text.Json;
using Authorization.Clients;
using Authorization.Scopes;
using Authorization.Server;

namespace Authorization.Discovery;

/// <summary>
/// The document at <c>[base]/.well-known/smart-configuration</c>: what this authorization server really does, no more.
/// https://hl7.org/fhir/smart-app-launch/conformance.html
/// </summary>
public static class SmartConfiguration
{
    /// <summary>Its path below the FHIR base; the answer is <c>application/json</c> whatever the Accept header says, for any origin.</summary>
    public const string Path = "/.well-known/smart-configuration";

    public const string ContentType = "application/json";

    /// <param name="options">Null describes a server with default settings.</param>
    /// <returns>UTF-8 JSON.</returns>
    public static byte[] Write(PublicAddresses addresses, AuthOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("issuer", addresses.Issuer);
            json.WriteString("jwks_uri", addresses.KeysEndpoint);
            json.WriteString("authorization_endpoint", addresses.AuthorizeEndpoint);
            json.WriteString("token_endpoint", addresses.TokenEndpoint);
            json.WriteString("introspection_endpoint", addresses.IntrospectionEndpoint);
            json.WriteString("revocation_endpoint", addresses.RevocationEndpoint);
            json.WriteString("management_endpoint", addresses.AppsPage);
            if (options is null or { Registration.Enabled: true })
            {
                json.WriteString("registration_endpoint", addresses.RegistrationEndpoint);
            }
            if (options?.Brand.IsSet == true)
            {
                json.WriteString("user_access_brand_bundle", addresses.BrandBundle);
                json.WriteStartObject("user_access_brand_identifier");
                Brands.WriteIdentifier(json, options.Brand);
                json.WriteEndObject();
            }
            json.WriteString("smart_app_state_endpoint", addresses.AppState); // of 2.1; 2.2 has the list below
            json.WriteStartArray("associated_endpoints");
            json.WriteStartObject();
            json.WriteString("url", addresses.AppState);
            json.WriteList("capabilities", "smart-app-state");
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteList("grant_types_supported", "authorization_code", "client_credentials", "refresh_token");
            json.WriteList("response_types_supported", "code");
            json.WriteList("token_endpoint_auth_methods_supported", "client_secret_basic", "client_secret_post", "private_key_jwt");
            json.WriteList("token_endpoint_auth_signing_alg_values_supported", [.. AssertionAlgorithm.All.Select(static algorithm => algorithm.Name)]);
            json.WriteList("code_challenge_methods_supported", "S256");
            json.WriteList("scopes_supported", [.. SignInScopes.All, .. ResourceScopes()]);
            json.WriteList("capabilities", [.. Capabilities(options)]);
            json.WriteEndObject();
        }
        return bytes.ToArray();
    }

    private static IEnumerable<string> ResourceScopes() =>
        from level in new[] { "patient", "user", "system" }
        from permissions in new[] { "cruds", "rs", "read", "write", "*" }
        select $"{level}/*.{permissions}";

    private static IEnumerable<string> Capabilities(AuthOptions? options)
    {
        string[] always =
        [
            "launch-ehr", "launch-standalone", "authorize-post", "client-public", "client-confidential-symmetric", "client-confidential-asymmetric",
            "sso-openid-connect", "context-banner", "context-ehr-patient", "context-ehr-encounter", "context-standalone-patient",
            "permission-offline", "permission-online", "permission-patient", "permission-user", "permission-v1", "permission-v2", "smart-app-state",
        ];
        return string.IsNullOrEmpty(options?.SmartStyleUrl) ? always : always.Append("context-style");
    }
}
