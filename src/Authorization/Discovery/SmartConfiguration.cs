using System.Text.Json;
using Authorization.Clients;
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

    /// <returns>UTF-8 JSON.</returns>
    public static byte[] Write(PublicAddresses addresses)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            // No issuer: SMART wants it left out where there is no sign-in by OpenID Connect.
            json.WriteStartObject();
            json.WriteString("token_endpoint", addresses.TokenEndpoint);
            json.WriteString("jwks_uri", addresses.KeysEndpoint);
            WriteList(json, "grant_types_supported", "client_credentials");
            WriteList(json, "token_endpoint_auth_methods_supported", "client_secret_basic", "client_secret_post", "private_key_jwt");
            WriteList(json, "token_endpoint_auth_signing_alg_values_supported", [.. AssertionAlgorithm.All.Select(static algorithm => algorithm.Name)]);
            WriteList(json, "scopes_supported", "system/*.cruds", "system/*.rs", "system/*.read", "system/*.write", "system/*.*");
            WriteList(json, "code_challenge_methods_supported", "S256");
            WriteList(json, "capabilities", "client-confidential-symmetric", "client-confidential-asymmetric", "permission-v1", "permission-v2");
            json.WriteEndObject();
        }
        return bytes.ToArray();
    }

    private static void WriteList(Utf8JsonWriter json, string name, params ReadOnlySpan<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }
        json.WriteEndArray();
    }
}
