using System.Globalization;
using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using FhirCore.Outbound;
using Subscriptions.Definitions;
using Subscriptions.Delivery;
using Subscriptions.Writing;

namespace Subscriptions.Channels;

/// <summary>
/// Posts notifications, https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/channels.html#rest-hook. R4's own are a POST without a body,
/// or, with a payload, a PUT of the resource below the endpoint. Each has a <c>webhook-id</c>; with a signing secret also a signature
/// (https://www.standardwebhooks.com).
/// </summary>
public sealed class RestHook : IChannel, IDisposable
{
    private const string SecretPrefix = "whsec_";
    private const int ConnectionsPerHost = 64;
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    private readonly SubscriptionOptions _options;
    private readonly TimeProvider _clock;
    private readonly HttpClient _http;

    public RestHook(OutboundGuard guard, SubscriptionOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(guard);
        _options = options;
        _clock = clock;
        var handler = guard.CreateHandler(ConnectTimeout);
        handler.MaxConnectionsPerServer = ConnectionsPerHost; // one receiver's many subscriptions are not to wait for one another
        _http = new(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public ChannelKind Kind => ChannelKind.RestHook;

    public void Dispose() => _http.Dispose();

    public async Task<SendOutcome> SendAsync(Outgoing outgoing, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(outgoing);
        using var limit = new CancellationTokenSource(LimitOf(outgoing.Definition), _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        using var request = Make(outgoing);
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            return Judge(response);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new SendOutcome.Failed("timeout");
        }
        catch (HttpRequestException error)
        {
            return new SendOutcome.Failed(ProblemOf(error));
        }
    }

    private TimeSpan LimitOf(SubscriptionDefinition definition) =>
        definition.Timeout is { } asked && asked < _options.RequestTimeout ? asked : _options.RequestTimeout;

    private HttpRequestMessage Make(Outgoing outgoing)
    {
        var definition = outgoing.Definition;
        var (method, address, body) = (HttpMethod.Post, definition.Endpoint!, outgoing.Bundle ?? ReadOnlyMemory<byte>.Empty);
        if (outgoing is { Bundle: null, Resource: { } resource })
        {
            (method, address, body) = (HttpMethod.Put, $"{address.TrimEnd('/')}/{resource.Key}", resource.Json);
        }
        var request = new HttpRequestMessage(method, address) { Content = new ReadOnlyMemoryContent(body) };
        if (!body.IsEmpty)
        {
            request.Content.Headers.TryAddWithoutValidation("Content-Type", definition.Payload);
        }
        foreach (var header in outgoing.Subscriber.Headers)
        {
            if (HeaderReader.TrySplit(header, out var name, out var value) && !request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }
        var sent = _clock.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        request.Headers.TryAddWithoutValidation("webhook-id", outgoing.Id);
        request.Headers.TryAddWithoutValidation("webhook-timestamp", sent);
        if (outgoing.Subscriber.SigningSecret is { } secret)
        {
            request.Headers.TryAddWithoutValidation("webhook-signature", Sign(secret, outgoing.Id, sent, body.Span));
        }
        return request;
    }

    /// <summary>HMAC-SHA256 over <c>id.timestamp.body</c>.</summary>
    internal static string Sign(string secret, string id, string sent, ReadOnlySpan<byte> body)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, KeyOf(secret));
        hash.AppendData(Encoding.ASCII.GetBytes($"{id}.{sent}."));
        hash.AppendData(body);
        return $"v1,{Convert.ToBase64String(hash.GetHashAndReset())}";
    }

    /// <summary><c>whsec_</c> and base64, as the specification writes secrets; any other text is taken as it is.</summary>
    private static byte[] KeyOf(string secret)
    {
        var bytes = new byte[secret.Length];
        return secret.StartsWith(SecretPrefix, StringComparison.Ordinal) && Convert.TryFromBase64String(secret[SecretPrefix.Length..], bytes, out var length)
            ? bytes[..length]
            : Encoding.ASCII.GetBytes(secret);
    }

    private SendOutcome Judge(HttpResponseMessage response)
    {
        var code = (int)response.StatusCode;
        var problem = string.Create(CultureInfo.InvariantCulture, $"http-{code}");
        return response.StatusCode switch
        {
            >= HttpStatusCode.OK and < HttpStatusCode.MultipleChoices => SendOutcome.Done,
            HttpStatusCode.Gone => new SendOutcome.Gone(problem),
            HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable => new SendOutcome.Failed(problem, WaitOf(response)),
            HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.UnprocessableEntity => new SendOutcome.Failed(problem, IsAboutContent: true),
            _ => new SendOutcome.Failed(problem), // redirects too: the address that was agreed on is the one that is called
        };
    }

    private TimeSpan? WaitOf(HttpResponseMessage response)
    {
        var asked = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - _clock.GetUtcNow(),
            _ => (TimeSpan?)null,
        };
        return asked is { } wait && wait > TimeSpan.Zero ? wait < _options.LongestRetry ? wait : _options.LongestRetry : null;
    }

    private static string ProblemOf(HttpRequestException error)
    {
        for (Exception? cause = error; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case AddressRefusedException:
                    return "address-not-allowed";
                case AuthenticationException:
                    return "tls";
            }
        }
        return error.HttpRequestError == HttpRequestError.NameResolutionError ? "name-not-found" : "no-connection";
    }
}
