using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using FhirCore.Outbound;
using Microsoft.Extensions.Logging;

namespace Authorization.Clients;

/// <summary>
/// The keys a client is registered with: those in its registration, or those at its address. What was fetched is kept no longer than
/// its Cache-Control allows, and asked for again, at most now and then, when an assertion names a key that is not among it.
/// </summary>
public sealed partial class ClientKeySource : IDisposable
{
    /// <summary>Connecting, sending and receiving together.</summary>
    public static readonly TimeSpan FetchTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How long a set is kept whose answer does not say.</summary>
    public static readonly TimeSpan UsualAge = TimeSpan.FromMinutes(5);

    /// <summary>The longest a set is kept, whatever its answer says.</summary>
    public static readonly TimeSpan LongestAge = TimeSpan.FromHours(1);

    /// <summary>Anyone can send an assertion with an invented key id: it makes us ask again no more often than this.</summary>
    public static readonly TimeSpan RefetchInterval = TimeSpan.FromSeconds(10);

    private const int MostSets = 1_000;

    private readonly OutboundGuard _guard;
    private readonly HttpClient _http;
    private readonly TimeProvider _clock;
    private readonly ILogger<ClientKeySource> _logger;
    private readonly ConcurrentDictionary<string, Fetched> _sets = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _fetching = new(4, 4);

    public ClientKeySource(OutboundGuard guard, TimeProvider clock, ILogger<ClientKeySource> logger)
    {
        ArgumentNullException.ThrowIfNull(guard);
        (_guard, _clock, _logger) = (guard, clock, logger);
        _http = new(guard.CreateHandler(FetchTimeout)) { Timeout = FetchTimeout, MaxResponseContentBufferSize = ClientKeySet.LongestText };
        _http.DefaultRequestHeaders.Accept.Add(new("application/json"));
    }

    /// <param name="keyId">The key that is looked for.</param>
    /// <returns>Null where there are no keys to be had.</returns>
    public async ValueTask<ClientKeySet?> FindAsync(string? jwks, string? jwksUri, string keyId, CancellationToken ct)
    {
        if (jwks is not null)
        {
            return ClientKeySet.TryParse(Encoding.UTF8.GetBytes(jwks), out var registered, out _) ? registered : null;
        }
        if (jwksUri is null)
        {
            return null;
        }
        var now = _clock.GetUtcNow();
        if (_sets.TryGetValue(jwksUri, out var known)
            && ((now < known.Until && known.Keys?.Count(keyId) > 0) || now < known.At + RefetchInterval))
        {
            // A set that may not be kept at all serves the few seconds that stand between two fetches, so that nobody makes us hammer its server.
            return known.Keys;
        }
        var fetched = await FetchAsync(jwksUri, ct);
        if (_sets.Count >= MostSets)
        {
            _sets.Clear();
        }
        _sets[jwksUri] = fetched;
        return fetched.Keys;
    }

    public void Dispose()
    {
        _http.Dispose();
        _fetching.Dispose();
    }

    private async Task<Fetched> FetchAsync(string address, CancellationToken ct)
    {
        var target = new Uri(address);
        await _fetching.WaitAsync(ct);
        try
        {
            if (_guard.Refuse(target) is { } refusal)
            {
                LogRefused(_logger, target.Host, refusal);
                return new(null, _clock.GetUtcNow(), default);
            }
            using var response = await _http.GetAsync(target, HttpCompletionOption.ResponseContentRead, ct);
            var now = _clock.GetUtcNow();
            if (!response.IsSuccessStatusCode)
            {
                LogFailed(_logger, target.Host, (int)response.StatusCode, null);
                return new(null, now, default);
            }
            if (!ClientKeySet.TryParse(await response.Content.ReadAsByteArrayAsync(ct), out var keys, out var problem))
            {
                LogRefused(_logger, target.Host, problem);
                return new(null, now, default);
            }
            return new(keys, now, now + AgeOf(response.Headers.CacheControl));
        }
        catch (Exception trouble) when (trouble is HttpRequestException or TaskCanceledException && !ct.IsCancellationRequested)
        {
            LogFailed(_logger, target.Host, 0, trouble);
            return new(null, _clock.GetUtcNow(), default);
        }
        finally
        {
            _fetching.Release();
        }
    }

    internal static TimeSpan AgeOf(CacheControlHeaderValue? header) => header switch
    {
        null => UsualAge,
        { NoStore: true } or { NoCache: true } => TimeSpan.Zero,
        { MaxAge: { } age } => age < LongestAge ? age : LongestAge,
        _ => UsualAge,
    };

    private sealed record Fetched(ClientKeySet? Keys, DateTimeOffset At, DateTimeOffset Until);

    [LoggerMessage(1, LogLevel.Warning, "The key set at {Host} is not used: its address or content {Problem}")]
    private static partial void LogRefused(ILogger logger, string host, string problem);

    [LoggerMessage(2, LogLevel.Warning, "The key set at {Host} could not be fetched (status {Status}).")]
    private static partial void LogFailed(ILogger logger, string host, int status, Exception? trouble);
}
