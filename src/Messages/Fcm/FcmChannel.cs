using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using FhirCore.Messages;
using Google.Apis.Auth.OAuth2.Responses;

namespace Messages.Fcm;

/// <summary>Push messages by FCM HTTP v1. FCM says whether it has taken a message, not what became of it.</summary>
public sealed class FcmChannel : IMessageChannel, IDisposable
{
    /// <summary>https://firebase.google.com/docs/cloud-messaging/scale-fcm: a quota is not asked again sooner.</summary>
    private static readonly TimeSpan QuotaPause = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _clock;
    private readonly FcmTokens _tokens;
    private readonly HttpClient _http;
    private readonly Uri _send;

    /// <exception cref="InvalidOperationException">The credentials file cannot be used.</exception>
    public FcmChannel(FcmOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_clock, _tokens) = (clock, new(options.CredentialsFile));
        _http = Attempt.Client(options.BaseUrl);
        _send = new($"v1/projects/{Uri.EscapeDataString(options.ProjectId)}/messages:send", UriKind.Relative);
    }

    /// <returns>Why a credentials file cannot be used; null where it can.</returns>
    public static string? WhyUnusable(string file)
    {
        try
        {
            _ = new FcmTokens(file);
            return null;
        }
        catch (InvalidOperationException why)
        {
            return why.Message;
        }
    }

    public MessageChannelKind Kind => MessageChannelKind.Push;

    public bool Remembers => false;

    public Task<MessageResult> SendAsync(OutgoingMessage message, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(message);
        var payload = FcmPayload.Write(message, _clock.GetUtcNow());
        return payload.Length > FcmPayload.Longest
            ? Task.FromResult<MessageResult>(new MessageResult.Refused(MessageRefusal.Content, "too-long"))
            : Attempt.RunAsync(token => PostAsync(payload, token), static () => new MessageResult.Unknown(Attempt.TimedOut), _clock, ct);
    }

    public Task<MessageResult> FindAsync(OutgoingMessage message, DateTimeOffset since, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return Task.FromResult<MessageResult>(new MessageResult.Unknown("fcm"));
    }

    public void Dispose() => _http.Dispose();

    private async Task<MessageResult> PostAsync(byte[] payload, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _send) { Content = new ByteArrayContent(payload) };
        request.Content.Headers.ContentType = new("application/json");
        try
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await _tokens.GetAsync(ct).ConfigureAwait(false));
        }
        catch (TokenResponseException refused)
        {
            return refused.StatusCode is { } status && (int)status is >= 500 or 429
                ? new MessageResult.Later($"oauth-{(int)status}", null)
                : new MessageResult.Refused(MessageRefusal.Configuration, "oauth");
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            return new MessageResult.Later("oauth", null); // nothing was sent
        }
        try
        {
            using var answer = await _http.SendAsync(request, ct).ConfigureAwait(false);
            var body = await answer.Content.ReadAsByteArrayAsync(ct).ConfigureAwait(false);
            return answer.IsSuccessStatusCode ? new MessageResult.Accepted(FcmAnswer.NameOf(body)) : Refusal(answer, FcmAnswer.ErrorOf(body));
        }
        catch (HttpRequestException error)
        {
            return Attempt.WasNeverSent(error) ? new MessageResult.Later(Attempt.NoConnection, null) : new MessageResult.Unknown(Attempt.Lost);
        }
        catch (IOException)
        {
            return new MessageResult.Unknown(Attempt.Lost);
        }
    }

    /// <summary>https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode</summary>
    private MessageResult Refusal(HttpResponseMessage answer, FcmError error)
    {
        var code = error.Code ?? ((int)answer.StatusCode).ToString(CultureInfo.InvariantCulture);
        return (answer.StatusCode, error.Code) switch
        {
            (_, "UNREGISTERED" or "SENDER_ID_MISMATCH") => new MessageResult.Refused(MessageRefusal.BadAddress, code),
            (HttpStatusCode.NotFound, _) => new MessageResult.Refused(MessageRefusal.Configuration, code), // no such project
            (HttpStatusCode.BadRequest, _) => new MessageResult.Refused(error.IsAboutToken ? MessageRefusal.BadAddress : MessageRefusal.Content, code),
            (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden, _) => new MessageResult.Refused(MessageRefusal.Configuration, code),
            (HttpStatusCode.TooManyRequests, _) => new MessageResult.Later(code, Longer(Attempt.RetryAfter(answer, _clock), QuotaPause)),
            (HttpStatusCode.ServiceUnavailable, _) => new MessageResult.Later(code, Attempt.RetryAfter(answer, _clock)),
            // INTERNAL is to be tried again by the documentation; what it did by then nobody knows, and the tag hides a repetition.
            ({ } status, _) when (int)status >= 500 => new MessageResult.Unknown(code),
            _ => new MessageResult.Refused(MessageRefusal.Content, code),
        };
    }

    private static TimeSpan Longer(TimeSpan? asked, TimeSpan least) => asked is { } given && given > least ? given : least;
}

/// <param name="Code">FCM's own where it tells one, else the status of Google's APIs.</param>
/// <param name="IsAboutToken">The registration token is what is wrong.</param>
internal readonly record struct FcmError(string? Code, bool IsAboutToken);

/// <summary>What FCM answers.</summary>
internal static class FcmAnswer
{
    public static string? NameOf(byte[] body)
    {
        using var json = Parse(body);
        return json is not null && json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("name"u8, out var name) ? name.GetString() : null;
    }

    public static FcmError ErrorOf(byte[] body)
    {
        using var json = Parse(body);
        if (json is null || json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("error"u8, out var error) || error.ValueKind != JsonValueKind.Object)
        {
            return default;
        }
        var code = error.TryGetProperty("status"u8, out var status) ? status.GetString() : null;
        // The message is the only thing that tells a malformed token apart where no field is named.
        var isAboutToken = error.TryGetProperty("message"u8, out var said) && said.GetString()?.Contains("registration token", StringComparison.OrdinalIgnoreCase) is true;
        if (error.TryGetProperty("details"u8, out var details) && details.ValueKind == JsonValueKind.Array)
        {
            foreach (var detail in details.EnumerateArray())
            {
                if (detail.TryGetProperty("errorCode"u8, out var own))
                {
                    code = own.GetString();
                }
                if (detail.TryGetProperty("fieldViolations"u8, out var fields) && fields.ValueKind == JsonValueKind.Array)
                {
                    isAboutToken |= fields.EnumerateArray().Any(field => field.TryGetProperty("field"u8, out var name) && name.ValueEquals("message.token"u8));
                }
            }
        }
        return new(code, isAboutToken);
    }

    private static JsonDocument? Parse(byte[] body)
    {
        try
        {
            return JsonDocument.Parse(body);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
