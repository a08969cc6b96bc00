using System.Text.Json;
using Authorization.Clients;
using Authorization.Scopes;
using Authorization.Server;

namespace Authorization.Discovery;

/// <summary>The document at the issuer's <c>/.well-known/openid-configuration</c>: https://openid.net/specs/openid-connect-discovery-1_0.html.</summary>
internal static class OpenIdConfiguration
{
    public const string Path = "/.well-known/openid-configuration";

    public static byte[] Write(PublicAddresses addresses, AuthOptions options)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("issuer", addresses.Issuer);
            json.WriteString("authorization_endpoint", addresses.AuthorizeEndpoint);
            json.WriteString("token_endpoint", addresses.TokenEndpoint);
            json.WriteString("jwks_uri", addresses.KeysEndpoint);
            json.WriteString("introspection_endpoint", addresses.IntrospectionEndpoint);
            json.WriteString("revocation_endpoint", addresses.RevocationEndpoint);
            json.WriteString("end_session_endpoint", addresses.EndSessionEndpoint);
            if (options.Registration.Enabled)
            {
                json.WriteString("registration_endpoint", addresses.RegistrationEndpoint);
            }
            json.WriteList("response_types_supported", "code");
            json.WriteList("response_modes_supported", "query");
            json.WriteList("grant_types_supported", "authorization_code", "refresh_token", "client_credentials");
            json.WriteList("subject_types_supported", "public");
            json.WriteList("id_token_signing_alg_values_supported", "RS256");
            json.WriteList("code_challenge_methods_supported", "S256");
            json.WriteList("token_endpoint_auth_methods_supported", "client_secret_basic", "client_secret_post", "private_key_jwt", "none");
            json.WriteList("token_endpoint_auth_signing_alg_values_supported", [.. AssertionAlgorithm.All.Select(static algorithm => algorithm.Name)]);
            json.WriteList("scopes_supported", [.. SignInScopes.All]);
            json.WriteList("claims_supported", "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "fhirUser");
            json.WriteList("prompt_values_supported", "none", "login", "consent", "select_account");
            json.WriteBoolean("authorization_response_iss_parameter_supported", true);
            json.WriteBoolean("claims_parameter_supported", false);
            json.WriteBoolean("request_parameter_supported", false);
            json.WriteBoolean("request_uri_parameter_supported", false);
            json.WriteEndObject();
        }
        return bytes.ToArray();
    }

    internal static void WriteList(this Utf8JsonWriter json, string name, params ReadOnlySpan<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }
        json.WriteEndArray();
    }
}
