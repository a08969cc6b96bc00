using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using Authorization.Records;
using Authorization.Server;
using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Sealed;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace Authorization.Keys;

/// <summary>
/// The keys that sign tokens and seal what OpenIddict keeps to itself. Made on the first start, kept sealed in the store, replaced by
/// schedule, the same in every process on one store.
/// </summary>
public sealed class ServerKeys(IRecordStore store, RecordCipher cipher, IOptions<AuthOptions> options, TimeProvider clock)
{
    public const string RecordType = "_SigningKey";
    public const string SigningAlgorithm = SecurityAlgorithms.EcdsaSha256;
    public const string EncryptionAlgorithm = "A256";

    /// <summary>A new key is published for this long before it signs: clients that keep our key set longer than that are on their own.</summary>
    public static readonly TimeSpan Lead = TimeSpan.FromDays(1);

    private const string EncryptionId = "sealing-1";
    private const int EncryptionKeyBytes = 32;
    private static readonly TimeSpan Slack = TimeSpan.FromHours(1);

    private readonly SealedRecords<StoredKey> _records = new(store, cipher, clock, RecordType, RecordJson.Default.StoredKey, static (_, _) => { });
    private readonly SemaphoreSlim _loading = new(1, 1);
    private Loaded? _loaded;

    /// <summary>Signs access tokens now: ECDSA P-256, its id is its thumbprint (RFC 7638).</summary>
    /// <exception cref="InvalidOperationException">The server has not been started.</exception>
    public ECDsaSecurityKey Signing => (ECDsaSecurityKey)CurrentOf(KeySeries.AccessToken).Key;

    /// <summary>Signs id tokens now: RSA.</summary>
    public RsaSecurityKey IdTokenSigning => (RsaSecurityKey)CurrentOf(KeySeries.IdToken).Key;

    public SymmetricSecurityKey Encryption => There.Encryption;

    /// <summary>Every key whose tokens may still be good, and those that will sign next.</summary>
    internal ImmutableArray<SigningKey> Published => There.Signing;

    private Loaded There => Volatile.Read(ref _loaded) ?? throw new InvalidOperationException("The keys are loaded when the host starts, before the first request.");

    internal SigningKey CurrentOf(KeySeries series)
    {
        var keys = There.Signing.Where(key => key.Series == series).ToArray();
        return keys[KeyPlan.Current(keys.Select(static key => key.SignsFrom).ToArray(), clock.GetUtcNow())];
    }

    /// <summary>The key of an access token that says it is signed by it.</summary>
    internal SecurityKey? AccessTokenKey(string? keyId) =>
        There.Signing.FirstOrDefault(key => key.Series == KeySeries.AccessToken && key.Key.KeyId == keyId)?.Key;

    /// <summary>
    /// Reads the keys, makes those that are due and forgets those that are over. Any number of processes may do it at once: a key's number
    /// is its record's id, so it is made once.
    /// </summary>
    public async Task LoadAsync(CancellationToken ct)
    {
        await _loading.WaitAsync(ct);
        try
        {
            var encryption = _loaded?.Encryption
                ?? new SymmetricSecurityKey((await FindOrMakeAsync(EncryptionId, EncryptionAlgorithm, static () => RandomNumberGenerator.GetBytes(EncryptionKeyBytes), null, ct)).Key);
            var signing = ImmutableArray.CreateBuilder<SigningKey>();
            foreach (var series in Enum.GetValues<KeySeries>())
            {
                signing.AddRange(await LoadAsync(series, ct));
            }
            Volatile.Write(ref _loaded, new(signing.ToImmutable(), encryption));
        }
        finally
        {
            _loading.Release();
        }
    }

    private async Task<List<SigningKey>> LoadAsync(KeySeries series, CancellationToken ct)
    {
        var plan = PlanOf(series);
        var now = clock.GetUtcNow();
        var keys = new List<SigningKey>();
        await foreach (var found in _records.QueryAsync(Predicate.Everything, ct))
        {
            if (NumberOf(series, found.Id) is { } number)
            {
                keys.Add(Known(series, number) ?? SigningKey.Of(series, number, Checked(found.Id, found.Value, SigningKey.AlgorithmOf(series))));
            }
        }
        keys.Sort(static (a, b) => a.Number.CompareTo(b.Number));
        while (keys.Count == 0 || plan.Next(keys[^1].SignsFrom, now) is not null)
        {
            var number = keys.Count == 0 ? 1 : keys[^1].Number + 1;
            var signsFrom = keys.Count == 0 ? now : plan.Next(keys[^1].SignsFrom, now);
            var made = await FindOrMakeAsync(IdOf(series, number), SigningKey.AlgorithmOf(series), () => SigningKey.Make(series), signsFrom, ct);
            keys.Add(SigningKey.Of(series, number, made));
        }
        while (keys.Count > 1 && plan.IsOver(keys[1].SignsFrom, now))
        {
            if (await _records.FindAsync(IdOf(series, keys[0].Number), ct) is { } old)
            {
                await _records.TryRemoveAsync(old.Id, old.Version, ct);
            }
            keys.RemoveAt(0);
        }
        return keys;
    }

    /// <summary>The very object of the last load: whoever signs with it goes on undisturbed.</summary>
    private SigningKey? Known(KeySeries series, int number) => _loaded?.Signing.FirstOrDefault(key => key.Series == series && key.Number == number);

    private KeyPlan PlanOf(KeySeries series) => new(
        options.Value.KeyRotation, Lead, Slack + (series == KeySeries.IdToken ? options.Value.AccessTokenLifetime : options.Value.RefreshTokenLifetime));

    private static string IdOf(KeySeries series, int number) =>
        string.Create(CultureInfo.InvariantCulture, $"{(series == KeySeries.IdToken ? "id-token" : "access-token")}-{number}");

    private static int? NumberOf(KeySeries series, string id)
    {
        var number = 0;
        return id.LastIndexOf('-') is var dash and > 0 && int.TryParse(id.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out number) && IdOf(series, number) == id
            ? number : null;
    }

    private async Task<StoredKey> FindOrMakeAsync(string id, string algorithm, Func<byte[]> make, DateTimeOffset? signsFrom, CancellationToken ct)
    {
        while (true)
        {
            if (await _records.FindAsync(id, ct) is { } found)
            {
                return Checked(id, found.Value, algorithm);
            }
            var key = new StoredKey(algorithm, make(), clock.GetUtcNow(), signsFrom);
            if (await _records.TryWriteAsync(id, key, 0, null, ct))
            {
                return key;
            }
            // another process made it in between: take that one
        }
    }

    private static StoredKey Checked(string id, StoredKey found, string algorithm) => found.Algorithm == algorithm
        ? found : throw new StoreCorruptException($"{RecordType}/{id} is a key for {found.Algorithm}, not for {algorithm}.");

    private sealed record Loaded(ImmutableArray<SigningKey> Signing, SymmetricSecurityKey Encryption);
}
