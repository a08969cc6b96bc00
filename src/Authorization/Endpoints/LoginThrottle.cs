using Authorization.Clients;
using FhirCore.Caching;
using FhirStore.Caching;
using FhirStore.Encryption;

namespace Authorization.Endpoints;

/// <summary>
/// Counts failed authentications of a client from one address: after ten in a minute it must wait for the minute to end.
/// It makes guessing slow; the length of the secrets makes it hopeless. Where there is a shared cache all processes count
/// together; while that is away each goes by its own count.
/// </summary>
public sealed class LoginThrottle
{
    public const int Failures = 10;
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <summary>Room for the counts of this process, in bytes: some thousand. A flood of invented ids pushes out what it counted first.</summary>
    private const long MostBytes = 2 << 20;

    private const int TokenLength = 16;

    private readonly IndexTokenKey _names;
    private readonly MemoryCache _own;
    private readonly ICache? _shared;

    public LoginThrottle(TimeProvider clock, IndexTokens tokens, ICache? cache = null)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        _names = tokens.KeyFor("~login-failures");
        _own = new(clock, MostBytes);
        _shared = cache is { IsShared: true } ? cache : null;
    }

    internal int Count => _own.Count;

    /// <returns>Null when it may try; otherwise how long it must wait.</returns>
    public async ValueTask<TimeSpan?> WaitForAsync(string clientId, string? address, CancellationToken ct)
    {
        if (clientId.Length > ClientDefinition.LongestId)
        {
            return null;
        }
        var key = Key(clientId, address);
        var shared = _shared is null ? null : await _shared.CountAsync(key, ct);
        return (shared ?? await _own.CountAsync(key, ct)) is { Count: >= Failures } count && count.Left > TimeSpan.Zero ? count.Left : null;
    }

    public async ValueTask FailedAsync(string clientId, string? address, CancellationToken ct)
    {
        if (clientId.Length > ClientDefinition.LongestId)
        {
            return; // no client has such an id, and keeping it would cost memory
        }
        var key = Key(clientId, address);
        await _own.AddAsync(key, Window, ct);
        if (_shared is not null)
        {
            await _shared.AddAsync(key, Window, ct);
        }
    }

    public async ValueTask SucceededAsync(string clientId, string? address, CancellationToken ct)
    {
        var key = Key(clientId, address);
        await _own.RemoveAsync(key, ct);
        if (_shared is not null)
        {
            await _shared.RemoveAsync(key, ct);
        }
    }

    /// <summary>Keys can be read on the cache's engine: neither the client nor its address stands there.</summary>
    private string Key(string clientId, string? address)
    {
        Span<byte> token = stackalloc byte[TokenLength];
        _names.Token($"{address} {clientId}", token);
        return "login/" + Convert.ToHexStringLower(token);
    }
}
