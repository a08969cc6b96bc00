using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace StandIns;

/// <summary>A notification as a phone shows it.</summary>
/// <param name="Tag">One with the same tag takes its place.</param>
public sealed record ShownPush(string Token, string Tag, string Title, string Body, JsonObject Data, string Ttl);

/// <summary>FCM HTTP v1 and Google's token endpoint. A phone shows one notification for each tag, however often it was sent.</summary>
public sealed class FcmStandIn : IAsyncDisposable
{
    public const string ProjectId = "stand-in";
    private const string Account = "sender@stand-in.iam.gserviceaccount.com";

    private readonly ConcurrentDictionary<(string Token, string Tag), ShownPush> _shown = new();
    private readonly RSA _key = RSA.Create(2048);
    private readonly string _folder = Directory.CreateTempSubdirectory("fcm-stand-in-").FullName;
    private HttpStandIn _http = null!;
    private int _sent;
    private int _tokens;

    private FcmStandIn()
    {
    }

    public Uri BaseUrl => _http.Address;

    /// <summary>Of a service account that it knows.</summary>
    public string CredentialsFile => Path.Combine(_folder, "account.json");

    /// <summary>What phones show.</summary>
    public ICollection<ShownPush> Shown => _shown.Values;

    /// <summary>How often it has taken a message, repetitions counted.</summary>
    public int Sent => Volatile.Read(ref _sent);

    /// <summary>How many access tokens it has given out.</summary>
    public int TokensGiven => Volatile.Read(ref _tokens);

    /// <summary>How each request to send ends; told the registration token.</summary>
    public Func<string, Ending> Ends { get; set; } = static _ => Ending.Ok;

    /// <summary>How a request for an access token ends.</summary>
    public Func<Ending> TokenEnds { get; set; } = static () => Ending.Ok;

    public event Action<ShownPush>? Took;

    public IEnumerable<KeyValuePair<string, string>> Settings =>
        [new("Fcm:BaseUrl", BaseUrl.AbsoluteUri), new("Fcm:ProjectId", ProjectId), new("Fcm:CredentialsFile", CredentialsFile)];

    public static async Task<FcmStandIn> StartAsync(int port = 0)
    {
        var fcm = new FcmStandIn();
        fcm._http = await HttpStandIn.StartAsync(port, fcm.AnswerAsync);
        await File.WriteAllTextAsync(fcm.CredentialsFile, new JsonObject
        {
            ["type"] = "service_account",
            ["project_id"] = ProjectId,
            ["private_key_id"] = "1",
            ["private_key"] = fcm._key.ExportPkcs8PrivateKeyPem(),
            ["client_email"] = Account,
            ["client_id"] = "1",
            ["token_uri"] = new Uri(fcm.BaseUrl, "token").AbsoluteUri,
        }.ToJsonString());
        return fcm;
    }

    public async ValueTask DisposeAsync()
    {
        await _http.DisposeAsync();
        _key.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private Task AnswerAsync(HttpContext context) => context.Request.Path.Value switch
    {
        "/token" => GiveTokenAsync(context),
        $"/v1/projects/{ProjectId}/messages:send" => SendAsync(context),
        _ => RefuseAsync(context, new(404, "NOT_FOUND")),
    };

    /// <summary>RFC 7523: the assertion is signed by the account's key.</summary>
    private async Task GiveTokenAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        if (TokenEnds() is Ending.Refused refused)
        {
            context.Response.StatusCode = refused.Status;
            await context.Response.WriteAsJsonAsync(new JsonObject { ["error"] = refused.Code });
            return;
        }
        var parts = form["assertion"].ToString().Split('.');
        if (form["grant_type"] != "urn:ietf:params:oauth:grant-type:jwt-bearer" || parts.Length != 3
            || !_key.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), System.Buffers.Text.Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))
        {
            context.Response.StatusCode = 400;
            await context.Response.WriteAsJsonAsync(new JsonObject { ["error"] = "invalid_grant" });
            return;
        }
        var number = Interlocked.Increment(ref _tokens);
        await context.Response.WriteAsJsonAsync(new JsonObject { ["access_token"] = $"stand-in-{number}", ["expires_in"] = 3600, ["token_type"] = "Bearer" });
    }

    private async Task SendAsync(HttpContext context)
    {
        if (!context.Request.Headers.Authorization.ToString().StartsWith("Bearer stand-in-", StringComparison.Ordinal))
        {
            await RefuseAsync(context, new(401, "UNAUTHENTICATED"));
            return;
        }
        var message = (await JsonNode.ParseAsync(context.Request.Body))!["message"]!;
        var token = (string)message["token"]!;
        switch (Ends(token))
        {
            case Ending.Refused refused:
                await RefuseAsync(context, refused);
                break;
            case Ending.Broken:
                context.Abort();
                break;
            case Ending.TakenUnsaid:
                Take(token, message);
                context.Abort();
                break;
            case Ending.TakenInSilence:
                Take(token, message);
                await HttpStandIn.BeSilentAsync(context);
                break;
            case Ending.TakenWithError { Status: var status }:
                Take(token, message);
                await RefuseAsync(context, new(status, "INTERNAL"));
                break;
            default:
                var number = Take(token, message);
                await context.Response.WriteAsJsonAsync(new JsonObject { ["name"] = $"projects/{ProjectId}/messages/{number.ToString(CultureInfo.InvariantCulture)}" });
                break;
        }
    }

    private int Take(string token, JsonNode message)
    {
        var shown = new ShownPush(
            token, (string)message["android"]!["notification"]!["tag"]!, (string?)message["notification"]!["title"] ?? "", (string)message["notification"]!["body"]!,
            message["data"]!.DeepClone().AsObject(), (string)message["android"]!["ttl"]!);
        _shown[(token, shown.Tag)] = shown;
        Took?.Invoke(shown);
        return Interlocked.Increment(ref _sent);
    }

    private static Task RefuseAsync(HttpContext context, Ending.Refused refused)
    {
        context.Response.StatusCode = refused.Status;
        if (refused.RetryAfter is { } after)
        {
            context.Response.Headers.RetryAfter = ((int)after.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }
        var isToken = refused.Code == "BAD_TOKEN";
        var details = new JsonArray(new JsonObject { ["@type"] = "type.googleapis.com/google.firebase.fcm.v1.FcmError", ["errorCode"] = isToken ? "INVALID_ARGUMENT" : refused.Code });
        if (isToken)
        {
            details.Add(new JsonObject { ["@type"] = "type.googleapis.com/google.rpc.BadRequest", ["fieldViolations"] = new JsonArray(new JsonObject { ["field"] = "message.token", ["description"] = "Invalid registration token" }) });
        }
        return context.Response.WriteAsJsonAsync(new JsonObject
        {
            ["error"] = new JsonObject
            {
                ["code"] = refused.Status,
                ["message"] = "Refused by the stand-in.",
                ["status"] = refused.Status switch { 400 => "INVALID_ARGUMENT", 401 => "UNAUTHENTICATED", 403 => "PERMISSION_DENIED", 404 => "NOT_FOUND", 429 => "RESOURCE_EXHAUSTED", 503 => "UNAVAILABLE", _ => "INTERNAL" },
                ["details"] = details,
            },
        });
    }
}
