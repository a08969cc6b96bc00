using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using FhirCore.Outbound;

namespace Authorization.Outside;

/// <summary>What we need of a provider's discovery document, https://openid.net/specs/openid-connect-discovery-1_0.html.</summary>
/// <param name="EndSession">Null where the provider has none.</param>
/// <param name="SendsIssuer">Its answers to the browser name their issuer, RFC 9207.</param>
/// <param name="SecretInForm">It takes our secret in the form only, not by HTTP Basic.</param>
internal sealed record ProviderDocument(string Authorize, string Token, string Keys, string? EndSession, bool SendsIssuer, bool SecretInForm)
{
    /// <param name="problem">What is wrong, without repeating any of it.</param>
    public static bool TryParse(
        ReadOnlyMemory<byte> json, string issuer, OutboundGuard guard, [NotNullWhen(true)] out ProviderDocument? document, [NotNullWhen(false)] out string? problem)
    {
        document = null;
        try
        {
            using var parsed = JsonDocument.Parse(json, new() { AllowDuplicateProperties = false });
            var root = parsed.RootElement;
            if (root.ValueKind != JsonValueKind.Object || Text(root, "issuer") != issuer)
            {
                problem = "names another issuer.";
                return false;
            }
            if (Address(root, "authorization_endpoint", guard) is not { } authorize || Address(root, "token_endpoint", guard) is not { } token || Address(root, "jwks_uri", guard) is not { } keys)
            {
                problem = "lacks an endpoint, or has one that may not be connected to.";
                return false;
            }
            var methods = Texts(root, "token_endpoint_auth_methods_supported");
            document = new(
                authorize, token, keys, Address(root, "end_session_endpoint", guard),
                root.TryGetProperty("authorization_response_iss_parameter_supported", out var sends) && sends.ValueKind == JsonValueKind.True,
                methods.Contains("client_secret_post") && !methods.Contains("client_secret_basic"));
            problem = null;
            return true;
        }
        catch (JsonException)
        {
            problem = "is not JSON.";
            return false;
        }
    }

    private static string? Address(JsonElement root, string name, OutboundGuard guard) =>
        Text(root, name) is { } text && Uri.TryCreate(text, UriKind.Absolute, out var address) && guard.Refuse(address) is null ? text : null;

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string[] Texts(JsonElement root, string name) => root.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
        ? [.. list.EnumerateArray().Where(static item => item.ValueKind == JsonValueKind.String).Select(static item => item.GetString()!)] : [];
}
