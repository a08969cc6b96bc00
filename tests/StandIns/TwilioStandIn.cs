using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace StandIns;

/// <param name="ValidFor">Seconds, as asked for.</param>
public sealed record SentSms(string Sid, string To, string Body, string? StatusCallback, int? ValidFor, DateTimeOffset At)
{
    /// <summary>As Twilio names it: <c>queued</c>, <c>sent</c>, <c>delivered</c>, <c>undelivered</c>, <c>failed</c>.</summary>
    public string Status { get; set; } = "queued";

    public int? Error { get; set; }
}

/// <summary>
/// Twilio's Messages resource and its webhooks. Like the real one it sends whatever it is given, as often as it is given it, and
/// tells by its list what it has taken.
/// </summary>
public sealed class TwilioStandIn : IAsyncDisposable
{
    public const string AccountSid = "AC00000000000000000000000000000001";
    public const string AuthToken = "stand-in-token";
    public const string From = "+15550100";

    private readonly ConcurrentDictionary<string, SentSms> _messages = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _order = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<string>> _byNumber = new(StringComparer.Ordinal);
    private HttpStandIn _http = null!;
    private int _sids;
    private int _lists;
    private int _posts;

    private TwilioStandIn()
    {
    }

    public Uri BaseUrl => _http.Address;

    /// <summary>What it has taken, oldest first.</summary>
    public IReadOnlyList<SentSms> Messages => [.. _order.Select(sid => _messages[sid])];

    /// <summary>What it has taken for one number, oldest first.</summary>
    public IReadOnlyList<SentSms> To(string number) => _byNumber.TryGetValue(number, out var sids) ? [.. sids.Select(sid => _messages[sid])] : [];

    /// <summary>How many it has taken.</summary>
    public int Count => _messages.Count;

    /// <summary>How often somebody has asked for a message to be sent, whatever came of it.</summary>
    public int Posts => Volatile.Read(ref _posts);

    /// <summary>How often somebody has looked for what was sent.</summary>
    public int Lists => Volatile.Read(ref _lists);

    /// <summary>How each request to send ends; told number and text.</summary>
    public Func<string, string, Ending> Ends { get; set; } = static (_, _) => Ending.Ok;

    /// <summary>How a look at the list ends.</summary>
    public Func<string, Ending> ListEnds { get; set; } = static _ => Ending.Ok;

    /// <summary>How long it takes over each request.</summary>
    public TimeSpan Latency { get; set; }

    public event Action<SentSms>? Took;

    /// <summary>Settings of the server that make it send here.</summary>
    public IEnumerable<KeyValuePair<string, string>> Settings =>
    [
        new("Twilio:BaseUrl", BaseUrl.AbsoluteUri), new("Twilio:AccountSid", AccountSid), new("Twilio:AuthToken", AuthToken), new("Twilio:From", From),
    ];

    public static async Task<TwilioStandIn> StartAsync(int port = 0)
    {
        var twilio = new TwilioStandIn();
        twilio._http = await HttpStandIn.StartAsync(port, twilio.AnswerAsync);
        return twilio;
    }

    public ValueTask DisposeAsync() => _http.DisposeAsync();

    /// <summary>Tells whoever sent it what became of a message, as Twilio does.</summary>
    /// <returns>The answer's status.</returns>
    public async Task<int> ReportAsync(string sid, string status, int? error = null, string? token = null)
    {
        var message = _messages[sid];
        (message.Status, message.Error) = (status, error);
        var form = new List<KeyValuePair<string, string>>
        {
            new("AccountSid", AccountSid), new("MessageSid", sid), new("SmsSid", sid), new("MessageStatus", status), new("SmsStatus", status), new("To", message.To), new("From", From),
        };
        if (error is { } number)
        {
            form.Add(new("ErrorCode", number.ToString(CultureInfo.InvariantCulture)));
        }
        return (await PostSignedAsync(new(message.StatusCallback!), form, token)).Status;
    }

    /// <summary>An SMS from somebody's phone.</summary>
    /// <param name="sid">The same again is Twilio asking once more.</param>
    /// <returns>The answer's status and TwiML.</returns>
    public Task<(int Status, string TwiMl)> ReplyAsync(Uri inbound, string from, string body, string? sid = null, string? token = null) => PostSignedAsync(
        inbound,
        [
            new("AccountSid", AccountSid), new("MessageSid", sid ?? NewSid()), new("From", from), new("To", From), new("Body", body), new("NumMedia", "0"), new("NumSegments", "1"),
        ],
        token);

    /// <summary>https://www.twilio.com/docs/usage/webhooks/webhooks-security, written independently of the code under test.</summary>
    public static string Sign(string token, Uri url, IEnumerable<KeyValuePair<string, string>> form)
    {
        var text = url.AbsoluteUri + string.Concat(form.OrderBy(field => field.Key, StringComparer.Ordinal).Select(field => field.Key + field.Value));
        return Convert.ToBase64String(HMACSHA1.HashData(Encoding.UTF8.GetBytes(token), Encoding.UTF8.GetBytes(text)));
    }

    public static async Task<(int Status, string Body)> PostSignedAsync(Uri url, IReadOnlyList<KeyValuePair<string, string>> form, string? token = null)
    {
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new FormUrlEncodedContent(form) };
        request.Headers.Add("X-Twilio-Signature", Sign(token ?? AuthToken, url, form));
        using var answer = await http.SendAsync(request);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private string NewSid() => $"SM{Interlocked.Increment(ref _sids):x32}";

    private async Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        if (Latency > TimeSpan.Zero)
        {
            await Task.Delay(Latency, context.RequestAborted);
        }
        if (request.Headers.Authorization != "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{AccountSid}:{AuthToken}")))
        {
            await RefuseAsync(context, new(401, "20003"));
            return;
        }
        if (request.Path != $"/2010-04-01/Accounts/{AccountSid}/Messages.json")
        {
            await RefuseAsync(context, new(404, "20404"));
            return;
        }
        if (HttpMethods.IsGet(request.Method))
        {
            Interlocked.Increment(ref _lists);
            await ListAsync(context);
            return;
        }
        var form = await request.ReadFormAsync(context.RequestAborted);
        Interlocked.Increment(ref _posts);
        await EndAsync(context, form);
    }

    private async Task EndAsync(HttpContext context, IFormCollection form)
    {
        var (to, body) = (form["To"].ToString(), form["Body"].ToString());
        switch (Ends(to, body))
        {
            case Ending.Refused refused:
                await RefuseAsync(context, refused);
                break;
            case Ending.Broken:
                context.Abort();
                break;
            case Ending.TakenUnsaid:
                Take(to, body, form);
                context.Abort();
                break;
            case Ending.TakenInSilence:
                Take(to, body, form);
                await HttpStandIn.BeSilentAsync(context);
                break;
            case Ending.LostInSilence:
                await HttpStandIn.BeSilentAsync(context);
                break;
            case Ending.TakenWithError { Status: var status }:
                Take(to, body, form);
                context.Response.StatusCode = status;
                break;
            default:
                context.Response.StatusCode = 201;
                await context.Response.WriteAsJsonAsync(Json(Take(to, body, form)));
                break;
        }
    }

    private SentSms Take(string to, string body, IFormCollection form)
    {
        var message = new SentSms(NewSid(), to, body, form["StatusCallback"], int.TryParse(form["ValidityPeriod"], CultureInfo.InvariantCulture, out var seconds) ? seconds : null, TimeProvider.System.GetUtcNow());
        _messages[message.Sid] = message;
        _order.Enqueue(message.Sid);
        _byNumber.GetOrAdd(to, static _ => new()).Enqueue(message.Sid);
        Took?.Invoke(message);
        return message;
    }

    private async Task ListAsync(HttpContext context)
    {
        var to = context.Request.Query["To"].ToString();
        switch (ListEnds(to))
        {
            case Ending.Refused refused:
                await RefuseAsync(context, refused);
                return;
            case Ending.Broken:
                context.Abort();
                return;
        }
        var size = int.TryParse(context.Request.Query["PageSize"], CultureInfo.InvariantCulture, out var asked) ? asked : 50;
        var page = int.TryParse(context.Request.Query["Page"], CultureInfo.InvariantCulture, out var number) ? number : 0;
        var all = _byNumber.TryGetValue(to, out var sids) ? sids.Reverse().Select(sid => _messages[sid]).ToArray() : [];
        var shown = all.Skip(page * size).Take(size).Select(message => (JsonNode)Json(message)).ToArray();
        var more = all.Length > (page + 1) * size;
        await context.Response.WriteAsJsonAsync(new JsonObject
        {
            ["messages"] = new JsonArray(shown),
            ["page"] = page,
            ["next_page_uri"] = more ? $"{context.Request.Path}?To={Uri.EscapeDataString(to)}&PageSize={size}&Page={page + 1}" : null,
        });
    }

    private static JsonObject Json(SentSms message) => new()
    {
        ["sid"] = message.Sid,
        ["account_sid"] = AccountSid,
        ["to"] = message.To,
        ["from"] = From,
        ["body"] = message.Body,
        ["status"] = message.Status,
        ["direction"] = "outbound-api",
        ["error_code"] = message.Error,
        ["date_created"] = message.At.UtcDateTime.ToString("ddd, dd MMM yyyy HH:mm:ss +0000", CultureInfo.InvariantCulture),
        ["date_sent"] = null, // as long as it waits
    };

    private static Task RefuseAsync(HttpContext context, Ending.Refused refused)
    {
        context.Response.StatusCode = refused.Status;
        if (refused.RetryAfter is { } after)
        {
            context.Response.Headers.RetryAfter = ((int)after.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }
        return refused.Code.Length == 0 ? Task.CompletedTask : context.Response.WriteAsJsonAsync(new JsonObject
        {
            ["code"] = int.Parse(refused.Code, CultureInfo.InvariantCulture),
            ["message"] = "Refused by the stand-in.",
            ["more_info"] = $"https://www.twilio.com/docs/errors/{refused.Code}",
            ["status"] = refused.Status,
        });
    }
}
