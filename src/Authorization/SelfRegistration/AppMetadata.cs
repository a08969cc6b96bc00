using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Authorization.Clients;
using Authorization.Scopes;
using Authorization.Server;
using FhirCore;
using FhirCore.Outbound;

namespace Authorization.SelfRegistration;

/// <summary>What an app says of itself, https://www.rfc-editor.org/rfc/rfc7591#section-2: checked, and cut to what it may ask for.</summary>
public sealed class AppMetadata
{
    internal const string InvalidMetadata = "invalid_client_metadata";
    internal const string InvalidRedirect = "invalid_redirect_uri";

    private const int LongestText = 1_000;
    private const int MostContacts = 5;
    private static readonly ImmutableArray<string> GrantTypes = ["authorization_code", "refresh_token", "client_credentials"];
    private static readonly ImmutableArray<string> Methods = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"];
    private static readonly ImmutableArray<string> Pages = ["client_uri", "logo_uri", "policy_uri", "tos_uri"];

    private AppMetadata(JsonObject said, ClientOptions options)
    {
        Said = said;
        Options = options;
    }

    /// <summary>As it is kept and told: members that mean nothing here are left out, defaults are filled in.</summary>
    public JsonObject Said { get; }

    /// <summary>The client it comes to, without an id.</summary>
    internal ClientOptions Options { get; }

    internal bool HasSecret => Text("token_endpoint_auth_method") is "client_secret_basic" or "client_secret_post";

    public string? Text(string name) => Said[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    public ImmutableArray<string> Texts(string name) => Said[name] is JsonArray list ? [.. list.Select(static item => (string)item!)] : [];

    /// <summary>What was kept once, read again: nothing of it is decided anew.</summary>
    internal static AppMetadata Kept(string json)
    {
        var said = (JsonObject)JsonNode.Parse(json)!;
        return new(said, OptionsOf(said));
    }

    /// <param name="most">The most an app may ask for.</param>
    /// <returns>A failure whose detail is the error code of RFC 7591.</returns>
    public static Outcome<AppMetadata> Read(JsonElement sent, RegisteredScopes most, OutboundGuard guard)
    {
        ArgumentNullException.ThrowIfNull(most);
        if (sent.ValueKind != JsonValueKind.Object)
        {
            return Wrong("The body is one JSON object of client metadata.");
        }
        var said = new JsonObject();
        if ((ReadWho(sent, said) ?? ReadUse(sent, said) ?? ReadKeys(sent, said) ?? ReadAddresses(sent, said)) is { } wrong)
        {
            return wrong;
        }
        if (!Text(sent, "scope").TryGet(out var asked, out var failure) && failure is not null)
        {
            return failure;
        }
        var granted = Limit(asked, most);
        if (granted.Length == 0)
        {
            return Wrong("scope is missing, or has none that an app may register for here: see scopes_supported.");
        }
        said["scope"] = granted;
        var options = OptionsOf(said);
        options.ClientId = "to-be";
        return ClientDefinition.TryCreate(options, guard, out _, out var problem) ? new AppMetadata(said, OptionsOf(said)) : Of(problem);
    }

    private static FhirFailure? ReadWho(JsonElement sent, JsonObject said)
    {
        if (!Text(sent, "client_name").TryGet(out var name, out var failure) && failure is not null)
        {
            return failure;
        }
        if (string.IsNullOrWhiteSpace(name))
        {
            return Wrong("client_name is missing: people are asked whether they trust it.");
        }
        said["client_name"] = name.Trim();
        foreach (var member in new[] { "software_id", "software_version" })
        {
            if (!Text(sent, member).TryGet(out var text, out failure) && failure is not null)
            {
                return failure;
            }
            Set(said, member, text);
        }
        if (!Texts(sent, "contacts").TryGet(out var contacts, out failure))
        {
            return failure;
        }
        if (contacts.Length > MostContacts)
        {
            return Wrong($"contacts has more than {MostContacts}.");
        }
        Set(said, "contacts", contacts);
        return null;
    }

    private static FhirFailure? ReadUse(JsonElement sent, JsonObject said)
    {
        if (!Texts(sent, "grant_types").TryGet(out var grants, out var failure) || !Texts(sent, "response_types").TryGet(out var responses, out failure))
        {
            return failure;
        }
        grants = grants.IsEmpty ? ["authorization_code"] : grants;
        if (grants.FirstOrDefault(grant => !GrantTypes.Contains(grant)) is not null)
        {
            return Wrong($"grant_types takes {string.Join(", ", GrantTypes)}.");
        }
        if (responses.Any(static response => response != "code"))
        {
            return Wrong("response_types takes code.");
        }
        Set(said, "grant_types", grants);
        Set(said, "response_types", grants.Contains("authorization_code") ? ["code"] : []);
        if (!Text(sent, "token_endpoint_auth_method").TryGet(out var method, out failure) && failure is not null)
        {
            return failure;
        }
        method ??= "client_secret_basic"; // RFC 7591 section 2
        if (!Methods.Contains(method))
        {
            return Wrong($"token_endpoint_auth_method takes {string.Join(", ", Methods)}.");
        }
        said["token_endpoint_auth_method"] = method;
        foreach (var (member, taken) in new[] { ("token_endpoint_auth_signing_alg", AssertionAlgorithm.All.Select(static algorithm => algorithm.Name).ToArray()), ("id_token_signed_response_alg", ["RS256"]) })
        {
            if (!Text(sent, member).TryGet(out var algorithm, out failure) && failure is not null)
            {
                return failure;
            }
            if (algorithm is not null && !taken.Contains(algorithm, StringComparer.Ordinal))
            {
                return Wrong($"{member} takes {string.Join(", ", taken)}.");
            }
        }
        return null;
    }

    private static FhirFailure? ReadKeys(JsonElement sent, JsonObject said)
    {
        var hasKeys = sent.TryGetProperty("jwks", out var jwks);
        if (!Text(sent, "jwks_uri").TryGet(out var address, out var failure) && failure is not null)
        {
            return failure;
        }
        if (hasKeys && address is not null)
        {
            return Wrong("jwks and jwks_uri do not go together.");
        }
        if ((hasKeys || address is not null) != ((string?)said["token_endpoint_auth_method"] == "private_key_jwt"))
        {
            return Wrong("jwks or jwks_uri goes with the token_endpoint_auth_method private_key_jwt, and only with it.");
        }
        Set(said, "jwks_uri", address);
        if (hasKeys)
        {
            said["jwks"] = JsonNode.Parse(jwks.GetRawText());
        }
        return null;
    }

    private static FhirFailure? ReadAddresses(JsonElement sent, JsonObject said)
    {
        foreach (var member in new[] { "redirect_uris", "post_logout_redirect_uris" })
        {
            if (!Texts(sent, member).TryGet(out var addresses, out var failure))
            {
                return failure;
            }
            Set(said, member, addresses);
        }
        if (((JsonArray)said["grant_types"]!).Any(static grant => (string?)grant == "authorization_code") != said.ContainsKey("redirect_uris"))
        {
            return Wrong("redirect_uris goes with the grant type authorization_code, and only with it.", InvalidRedirect);
        }
        foreach (var member in Pages.Add("initiate_login_uri"))
        {
            if (!Text(sent, member).TryGet(out var address, out var failure) && failure is not null)
            {
                return failure;
            }
            if (address is not null && !(Uri.TryCreate(address, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback)) && uri.UserInfo.Length == 0))
            {
                return Wrong($"{member} is an absolute https address.");
            }
            Set(said, member, address);
        }
        return null;
    }

    private static ClientOptions OptionsOf(JsonObject said)
    {
        var options = new ClientOptions
        {
            Name = (string?)said["client_name"],
            // Only that there is one: the secret itself is nowhere but with the app.
            ClientSecret = (string?)said["token_endpoint_auth_method"] is "client_secret_basic" or "client_secret_post" ? new string('-', 32) : "",
            JwksUri = (string?)said["jwks_uri"],
            Jwks = said["jwks"]?.ToJsonString(),
            Scope = (string?)said["scope"] ?? "",
            LaunchUrl = (string?)said["initiate_login_uri"],
        };
        Add(options.RedirectUris, said["redirect_uris"]);
        Add(options.PostLogoutRedirectUris, said["post_logout_redirect_uris"]);
        return options;

        static void Add(IList<string> list, JsonNode? from)
        {
            foreach (var item in from as JsonArray ?? [])
            {
                list.Add((string)item!);
            }
        }
    }

    private static string Limit(string? asked, RegisteredScopes most)
    {
        var resources = SmartScopes.Negotiate(asked, most.Resources, ScopeLevel.Patient, ScopeLevel.User, ScopeLevel.System);
        var signIn = (asked ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(scope => most.SignIn.Contains(scope)).Distinct(StringComparer.Ordinal);
        return string.Join(' ', signIn.Concat(resources.Select(static scope => scope.ToString())));
    }

    private static FhirFailure Of((string Setting, string Problem) wrong) => wrong.Setting switch
    {
        "RedirectUris" => Wrong($"redirect_uris {wrong.Problem}", InvalidRedirect),
        "PostLogoutRedirectUris" => Wrong($"post_logout_redirect_uris {wrong.Problem}", InvalidRedirect),
        "Name" => Wrong($"client_name {wrong.Problem}"),
        "Jwks" => Wrong($"jwks {wrong.Problem}"),
        "JwksUri" => Wrong("jwks_uri must be an https address of the public internet."),
        "LaunchUrl" => Wrong($"initiate_login_uri {wrong.Problem}"),
        "Scope" => Wrong("scope: patient/ and user/ scopes, openid, fhirUser, launch, offline_access and online_access need redirect_uris."),
        _ => Wrong("system/ scopes need a client that proves who it is: another token_endpoint_auth_method than none."),
    };

    internal static FhirFailure Wrong(string problem, string error = InvalidMetadata) => FhirFailure.Of(FailureKind.Invalid, problem, detail: error);

    private static void Set(JsonObject said, string name, string? value)
    {
        if (value is not null)
        {
            said[name] = value;
        }
    }

    private static void Set(JsonObject said, string name, ImmutableArray<string> values)
    {
        if (!values.IsEmpty)
        {
            said[name] = new JsonArray([.. values.Select(static value => (JsonNode)value)]);
        }
    }

    private static Outcome<string?> Text(JsonElement sent, string name) =>
        !sent.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? (string?)null
        : value.ValueKind != JsonValueKind.String ? Wrong($"{name} is a text.")
        : value.GetString() is { Length: <= LongestText } text && !text.Any(char.IsControl) ? text
        : Wrong($"{name} has at most {LongestText} characters, none of them a control character.");

    private static Outcome<ImmutableArray<string>> Texts(JsonElement sent, string name)
    {
        if (!sent.TryGetProperty(name, out var list) || list.ValueKind == JsonValueKind.Null)
        {
            return ImmutableArray<string>.Empty;
        }
        if (list.ValueKind != JsonValueKind.Array || list.EnumerateArray().Any(static item => item.ValueKind != JsonValueKind.String))
        {
            return Wrong($"{name} is an array of texts.");
        }
        ImmutableArray<string> texts = [.. list.EnumerateArray().Select(static item => item.GetString()!).Distinct(StringComparer.Ordinal)];
        return texts.Any(static text => text.Length is 0 or > LongestText || text.Any(char.IsControl)) ? Wrong($"{name} has a text that is empty, too long, or holds a control character.") : texts;
    }
}
