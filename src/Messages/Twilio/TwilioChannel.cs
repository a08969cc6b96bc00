using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using FhirCore.Messages;

namespace Messages.Twilio;

/// <summary>
/// SMS by Twilio's REST API. The API takes no id of ours, so a message whose answer was lost is looked for among those to the same
/// number by its text: whoever sends makes texts that differ.
/// </summary>
public sealed class TwilioChannel : IMessageChannel, IDisposable
{
    /// <summary>Twilio drops by itself what has waited this long.</summary>
    private static readonly TimeSpan LongestValidity = TimeSpan.FromHours(10);

    /// <summary>Pages looked through for one message. A number that got more messages since is nobody's phone.</summary>
    private const int MostPages = 4;

    /// <summary>Their clock may be behind ours.</summary>
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(2);

    private readonly TwilioOptions _options;
    private readonly TimeProvider _clock;
    private readonly HttpClient _http;
    private readonly string _messages;

    public TwilioChannel(TwilioOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _clock) = (options, clock);
        _messages = $"2010-04-01/Accounts/{options.AccountSid}/Messages.json";
        _http = Attempt.Client(options.BaseUrl);
        _http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{options.AccountSid}:{options.AuthToken}")));
    }

    public MessageChannelKind Kind => MessageChannelKind.Sms;

    public bool Remembers => true;

    public Task<MessageResult> SendAsync(OutgoingMessage message, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(message);
        return Attempt.RunAsync(token => PostAsync(message, token), static () => new MessageResult.Unknown(Attempt.TimedOut), _clock, ct);
    }

    public Task<MessageResult> FindAsync(OutgoingMessage message, DateTimeOffset since, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(message);
        return Attempt.RunAsync(token => LookAsync(message, since - ClockSkew, token), static () => new MessageResult.Unknown(Attempt.TimedOut), _clock, ct);
    }

    public void Dispose() => _http.Dispose();

    private async Task<MessageResult> PostAsync(OutgoingMessage message, CancellationToken ct)
    {
        using var form = new FormUrlEncodedContent(Form(message));
        try
        {
            using var answer = await _http.PostAsync(new Uri(_messages, UriKind.Relative), form, ct).ConfigureAwait(false);
            var said = await ReadAsync(answer, TwilioJson.Default.TwilioMessage, ct).ConfigureAwait(false);
            if (answer.IsSuccessStatusCode)
            {
                return said?.Sid is not { Length: > 0 } sid ? new MessageResult.Unknown($"{(int)answer.StatusCode}")
                    : TwilioCodes.OfStatus(said.Status, said.ErrorCode, sid) ?? new MessageResult.Accepted(sid);
            }
            return Refusal(answer, said?.Code);
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

    private IEnumerable<KeyValuePair<string, string>> Form(OutgoingMessage message)
    {
        yield return new("To", message.To);
        yield return new(_options.From.StartsWith("MG", StringComparison.Ordinal) ? "MessagingServiceSid" : "From", _options.From);
        yield return new("Body", message.Text);
        if (_options.StatusCallback is { } callback)
        {
            yield return new("StatusCallback", $"{callback.AbsoluteUri}?{TwilioWebhook.MessageParameter}={message.Id}");
        }
        if (message.NotAfter is { } end && end - _clock.GetUtcNow() is var left && left < LongestValidity)
        {
            yield return new("ValidityPeriod", Math.Max(1, (int)left.TotalSeconds).ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <summary>429 and 503 say that nothing was done; what another 5xx has done by then nobody knows.</summary>
    private MessageResult Refusal(HttpResponseMessage answer, int? code)
    {
        var status = (int)answer.StatusCode;
        var known = code is { } number ? TwilioCodes.Of(number) : null;
        if (answer.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable)
        {
            return new MessageResult.Later(code is null ? $"{status}" : $"{code}", Attempt.RetryAfter(answer, _clock) ?? (known as MessageResult.Later)?.After);
        }
        return known ?? (status >= 500
            ? new MessageResult.Unknown($"{status}")
            : new MessageResult.Refused(
                answer.StatusCode is HttpStatusCode.BadRequest ? MessageRefusal.Content : MessageRefusal.Configuration, code is null ? $"{status}" : $"{code}"));
    }

    /// <summary>
    /// By number only: the list's filter by date looks at when a message was sent, which one that still waits does not have. Newest first.
    /// </summary>
    private async Task<MessageResult> LookAsync(OutgoingMessage message, DateTimeOffset since, CancellationToken ct)
    {
        var next = $"{_messages}?To={Uri.EscapeDataString(message.To)}&PageSize=100";
        try
        {
            for (var page = 0; page < MostPages && next is { Length: > 0 }; page++)
            {
                using var answer = await _http.GetAsync(new Uri(next.TrimStart('/'), UriKind.Relative), ct).ConfigureAwait(false);
                if (!answer.IsSuccessStatusCode || await ReadAsync(answer, TwilioJson.Default.TwilioPage, ct).ConfigureAwait(false) is not { Messages: { } messages } list)
                {
                    return new MessageResult.Unknown($"{(int)answer.StatusCode}");
                }
                foreach (var found in messages)
                {
                    if (IsBefore(found.DateCreated, since))
                    {
                        return new MessageResult.Later("not-found", null);
                    }
                    if (found.To == message.To && found.Body == message.Text && found.Sid is { Length: > 0 } sid && found.Direction?.StartsWith("outbound", StringComparison.Ordinal) != false)
                    {
                        return TwilioCodes.OfStatus(found.Status, found.ErrorCode, sid) ?? new MessageResult.Accepted(sid);
                    }
                }
                next = list.NextPageUri;
            }
            return next is { Length: > 0 } ? new MessageResult.Unknown("too-many") : new MessageResult.Later("not-found", null);
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            return new MessageResult.Unknown(Attempt.Lost);
        }
    }

    private static bool IsBefore(string? created, DateTimeOffset since) =>
        DateTimeOffset.TryParse(created, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) && at < since;

    private static async Task<T?> ReadAsync<T>(HttpResponseMessage answer, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, CancellationToken ct)
        where T : class
    {
        try
        {
            return await answer.Content.ReadFromJsonAsync(type, ct).ConfigureAwait(false);
        }
        catch (JsonException)
        {
            return null; // a proxy's page, or nothing
        }
    }
}
