using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Authorization.Clients;
using FhirCore.Outbound;
using Microsoft.Extensions.Logging;

namespace Authorization.Outside;

/// <summary>
/// Talks to outside providers: their discovery documents, kept as long as their answers allow, and their token endpoints. No connection
/// is made to an address that <see cref="OutboundGuard"/> refuses, whatever a document says.
/// </summary>
public sealed partial class ProviderClient : IDisposable
{
    /// <summary>Connecting, sending and receiving together.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private const int LongestAnswer = 256 * 1024;

    private static readonly TimeSpan RefetchInterval = TimeSpan.FromSeconds(10);

    private readonly OutboundGuard _guard;
    private readonly HttpClient _http;
    private readonly TimeProvider _clock;
    private readonly ILogger<ProviderClient> _logger;
    private readonly ConcurrentDictionary<string, Kept> _documents = new(StringComparer.Ordinal);

    public ProviderClient(OutboundGuard guard, TimeProvider clock, ILogger<ProviderClient> logger)
    {
        ArgumentNullException.ThrowIfNull(guard);
        (_guard, _clock, _logger) = (guard, clock, logger);
        _http = new(guard.CreateHandler(Timeout)) { Timeout = Timeout, MaxResponseContentBufferSize = LongestAnswer };
        _http.DefaultRequestHeaders.Accept.Add(new("application/json"));
    }

    /// <returns>Null where it cannot be had right now.</returns>
    internal async ValueTask<ProviderDocument?> DiscoverAsync(ExternalProvider provider, CancellationToken ct)
    {
        var now = _clock.GetUtcNow();
        if (_documents.TryGetValue(provider.Name, out var kept) && now < kept.Until)
        {
            return kept.Document;
        }
        var fetched = await FetchAsync(provider, ct);
        _documents[provider.Name] = fetched;
        return fetched.Document;
    }

    /// <summary>Exchanges a code. What the provider answers is not believed yet.</summary>
    /// <returns>Null where it gave no tokens.</returns>
    internal async Task<ProviderTokens?> RedeemAsync(ExternalProvider provider, ProviderDocument document, string code, string verifier, string redirect, CancellationToken ct)
    {
        var form = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = redirect, ["code_verifier"] = verifier,
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, document.Token);
        if (provider.ClientSecret is { } secret && !document.SecretInForm)
        {
            // RFC 6749 section 2.3.1: both are form-encoded before they are put together.
            request.Headers.Authorization = new AuthenticationHeaderValue(
                "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Uri.EscapeDataString(provider.ClientId)}:{Uri.EscapeDataString(secret)}")));
        }
        else
        {
            form["client_id"] = provider.ClientId;
            if (provider.ClientSecret is { } inForm)
            {
                form["client_secret"] = inForm;
            }
        }
        request.Content = new FormUrlEncodedContent(form);
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseContentRead, ct);
            if (!response.IsSuccessStatusCode)
            {
                LogFailed(_logger, provider.Name, (int)response.StatusCode, null);
                return null;
            }
            return ProviderTokens.Parse(await response.Content.ReadAsByteArrayAsync(ct));
        }
        catch (Exception trouble) when (trouble is HttpRequestException or TaskCanceledException && !ct.IsCancellationRequested)
        {
            LogFailed(_logger, provider.Name, 0, trouble);
            return null;
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<Kept> FetchAsync(ExternalProvider provider, CancellationToken ct)
    {
        var address = $"{provider.Issuer.TrimEnd('/')}/.well-known/openid-configuration";
        try
        {
            using var response = await _http.GetAsync(new Uri(address), HttpCompletionOption.ResponseContentRead, ct);
            var now = _clock.GetUtcNow();
            if (!response.IsSuccessStatusCode)
            {
                LogFailed(_logger, provider.Name, (int)response.StatusCode, null);
                return new(null, now + RefetchInterval);
            }
            if (!ProviderDocument.TryParse(await response.Content.ReadAsByteArrayAsync(ct), provider.Issuer, _guard, out var document, out var problem))
            {
                LogRefused(_logger, provider.Name, problem);
                return new(null, now + RefetchInterval);
            }
            var age = ClientKeySource.AgeOf(response.Headers.CacheControl);
            return new(document, now + (age > RefetchInterval ? age : RefetchInterval));
        }
        catch (Exception trouble) when (trouble is HttpRequestException or TaskCanceledException && !ct.IsCancellationRequested)
        {
            LogFailed(_logger, provider.Name, 0, trouble);
            return new(null, _clock.GetUtcNow() + RefetchInterval);
        }
    }

    private sealed record Kept(ProviderDocument? Document, DateTimeOffset Until);

    [LoggerMessage(1, LogLevel.Warning, "The outside provider {Name} cannot be used: its discovery document {Problem}")]
    private static partial void LogRefused(ILogger logger, string name, string problem);

    [LoggerMessage(2, LogLevel.Warning, "The outside provider {Name} did not answer as it should (status {Status}).")]
    private static partial void LogFailed(ILogger logger, string name, int status, Exception? trouble);
}

/// <summary>What a token endpoint has answered.</summary>
internal sealed record ProviderTokens(string IdToken, string? AccessToken)
{
    public static ProviderTokens? Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new() { AllowDuplicateProperties = false });
            return document.RootElement.ValueKind == JsonValueKind.Object && Text(document.RootElement, "id_token") is { } id ? new(id, Text(document.RootElement, "access_token")) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    // The generated text of a record would hold the tokens.
    public override string ToString() => nameof(ProviderTokens);
}
