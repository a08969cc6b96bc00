using System.Collections.Frozen;
using Authorization.Stores;
using FhirCore.Records;
using FhirStore.Sealed;

namespace Authorization.Clients;

/// <summary>
/// The origins that registered apps' pages have: browsers let those call the token endpoint and the FHIR endpoints. Known for a minute;
/// one that is not known is looked for again at most every few seconds.
/// </summary>
public sealed class ClientOrigins(SealedRecords<OAuthApplication> applications, TimeProvider clock) : IDisposable
{
    public static readonly TimeSpan KnownFor = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);
    private const int LongestOrigin = 300;

    private readonly SemaphoreSlim _loading = new(1, 1);
    private Known _known = new(FrozenSet<string>.Empty, DateTimeOffset.MinValue);

    public async ValueTask<bool> AreRegisteredAsync(string origin, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(origin);
        if (origin.Length > LongestOrigin || !origin.StartsWith("http", StringComparison.Ordinal))
        {
            return false; // "null" is the origin of whoever hides it
        }
        var known = Volatile.Read(ref _known);
        if (IsGood(known, origin))
        {
            return known.Origins.Contains(origin);
        }
        await _loading.WaitAsync(ct);
        try
        {
            known = _known;
            if (!IsGood(known, origin))
            {
                var origins = new HashSet<string>(StringComparer.Ordinal);
                await foreach (var application in applications.QueryAsync(Predicate.Everything, ct))
                {
                    if (ClientSettings.IsApproved(application.Value))
                    {
                        origins.UnionWith(ClientSettings.OriginsOf(application.Value));
                    }
                }
                known = new(origins.ToFrozenSet(StringComparer.Ordinal), clock.GetUtcNow());
                Volatile.Write(ref _known, known);
            }
        }
        finally
        {
            _loading.Release();
        }
        return known.Origins.Contains(origin);
    }

    public void Dispose() => _loading.Dispose();

    private bool IsGood(Known known, string origin) =>
        clock.GetUtcNow() - known.At is var age && age < (known.Origins.Contains(origin) ? KnownFor : LookAgain);

    private sealed record Known(FrozenSet<string> Origins, DateTimeOffset At);
}
