using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Authorization.Access;
using Authorization.Keys;
using Authorization.Scopes;
using Authorization.Server;
using FhirCore;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Authorization.Tokens;

/// <summary>
/// Turns the <c>Authorization</c> header of a FHIR request into a <see cref="Grant"/>. A token is verified once and then known
/// by its hash, so that the check of a token in use costs a hash and a look-up.
/// </summary>
/// <remarks>
/// Signature, algorithm, type, issuer, audience, times, that it has not been revoked, that its client is still registered and the account
/// it speaks for still active, must all be right.
/// </remarks>
public sealed class TokenAuthenticator
{
    /// <summary>
    /// A removed client's tokens, a disabled account's and revoked ones stop working within this time at the latest: so long a verified token
    /// is not looked at again.
    /// </summary>
    public static readonly TimeSpan ClientCheckInterval = TimeSpan.FromMinutes(1);

    internal const string TokenType = "at+jwt";
    private const int LongestToken = 8 * 1024;
    private const int CachedTokens = 20_000;
    private const string Scheme = "Bearer ";
    private const string AnonymousClient = "anonymous-on-loopback";

    private static readonly object LastHeader = new();

    private sealed record HashedHeader(string Header, TokenHash Hash);

    // Between processes whose clocks differ; the end of a token is exact.
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(1);

    private static readonly JsonWebTokenHandler Tokens = new() { MaximumTokenSizeInBytes = LongestToken, MapInboundClaims = false };

    private readonly ServerKeys _keys;
    private readonly TokenStanding _standing;
    private readonly PublicAddresses _addresses;
    private readonly TimeProvider _clock;
    private readonly Grant? _anonymous;
    private readonly GrantCache _cache = new(CachedTokens);
    private TokenValidationParameters? _rules;

    public TokenAuthenticator(
        ServerKeys keys, TokenStanding standing, PublicAddresses addresses, IOptions<AuthOptions> options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        _keys = keys;
        _standing = standing;
        _addresses = addresses;
        _clock = clock;
        _anonymous = options.Value.AllowAnonymousOnLoopback ? Grant.Everything(AnonymousClient) : null;
    }

    /// <summary>Verified tokens in memory.</summary>
    internal int CachedCount => _cache.Count;

    /// <param name="authorizationHeader">As it came; null or empty where there is none.</param>
    /// <param name="connection">
    /// What is kept for as long as the connection lives: Kestrel hands out the same string where a header repeats the one of the request
    /// before, and then its hash need not be made again. Null where there is no such place.
    /// </param>
    /// <returns>A refusal goes out with the header that <see cref="BearerChallenge.Of"/> makes of it.</returns>
    public ValueTask<Outcome<Grant>> AuthenticateAsync(string? authorizationHeader, CancellationToken ct, IDictionary<object, object?>? connection = null)
    {
        if (authorizationHeader is not null && connection is not null && connection.TryGetValue(LastHeader, out var last)
            && last is HashedHeader hashed && ReferenceEquals(hashed.Header, authorizationHeader) && _cache.Find(hashed.Hash, _clock.GetUtcNow()) is { } grant)
        {
            return new(grant);
        }
        if (_anonymous is not null)
        {
            return new(_anonymous);
        }
        if (string.IsNullOrEmpty(authorizationHeader))
        {
            return new(FhirFailure.Of(
                FailureKind.Unauthenticated, $"An access token is needed: send it as 'Authorization: Bearer ...'. Tokens are issued at {_addresses.TokenEndpoint}."));
        }
        if (!authorizationHeader.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return new(FhirFailure.Of(FailureKind.Unauthenticated, "The Authorization header must be 'Bearer' and an access token; other schemes are not accepted here."));
        }
        var token = authorizationHeader.AsMemory(Scheme.Length).Trim();
        if (token.IsEmpty || token.Length > LongestToken || !TryHash(token.Span, out var hash))
        {
            return new(Invalid("is not one that this server issues"));
        }
        if (_cache.Find(hash, _clock.GetUtcNow()) is not { } known)
        {
            return VerifyAsync(token.ToString(), hash, ct);
        }
        connection?[LastHeader] = new HashedHeader(authorizationHeader, hash);
        return new(known);
    }

    private static bool TryHash(ReadOnlySpan<char> token, out TokenHash hash)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        var rented = ArrayPool<byte>.Shared.Rent(token.Length);
        var isAscii = Ascii.FromUtf16(token, rented, out var length) == OperationStatus.Done;
        SHA256.HashData(rented.AsSpan(0, length), digest);
        ArrayPool<byte>.Shared.Return(rented);
        hash = TokenHash.From(digest);
        return isAscii;
    }

    private async ValueTask<Outcome<Grant>> VerifyAsync(string token, TokenHash hash, CancellationToken ct)
    {
        var verified = await Tokens.ValidateTokenAsync(token, _rules ??= Rules());
        if (!verified.IsValid)
        {
            return Invalid(Reason(verified.Exception));
        }
        var jwt = (JsonWebToken)verified.SecurityToken;
        if (!jwt.TryGetPayloadValue<string>("client_id", out var clientId) || !jwt.TryGetPayloadValue<string>("scope", out var scope))
        {
            return Invalid("is not one that this server issues");
        }
        if (!(await _standing.OfAsync(jwt, clientId, ct)).TryGet(out var user, out var refusal))
        {
            return refusal;
        }
        var launch = Text(jwt, SmartClaims.Patient) is var patient && Text(jwt, SmartClaims.Encounter) is var encounter && (patient ?? encounter) is not null
            ? new LaunchContext(patient, encounter) : null;
        var grant = new Grant(clientId, SmartScopes.Parse(scope), user.User, launch);
        var now = _clock.GetUtcNow();
        var expires = new DateTimeOffset(jwt.ValidTo, TimeSpan.Zero);
        _cache.Put(hash, grant, expires < now + ClientCheckInterval ? expires : now + ClientCheckInterval);
        return grant;
    }

    private static string? Text(JsonWebToken jwt, string claim) => jwt.TryGetPayloadValue<string>(claim, out var value) ? value : null;

    private TokenValidationParameters Rules() => new()
    {
        ValidTypes = [TokenType],
        ValidAlgorithms = [ServerKeys.SigningAlgorithm],
        IssuerSigningKeyResolver = (_, _, keyId, _) => _keys.AccessTokenKey(keyId) is { } key ? [key] : [],
        TryAllIssuerSigningKeys = false,
        ValidIssuer = _addresses.Issuer,
        ValidAudience = _addresses.FhirBase,
        LifetimeValidator = IsInTime,
    };

    private bool IsInTime(DateTime? notBefore, DateTime? expires, SecurityToken token, TokenValidationParameters rules)
    {
        var now = _clock.GetUtcNow().UtcDateTime;
        if (expires is null || expires <= now)
        {
            throw new SecurityTokenExpiredException();
        }
        return notBefore is null || notBefore <= now + ClockSkew;
    }

    private static string Reason(Exception why) => why switch
    {
        SecurityTokenExpiredException => "has expired: get a new one",
        SecurityTokenInvalidIssuerException => "was issued by another server",
        SecurityTokenInvalidAudienceException => "was issued for another server",
        SecurityTokenNotYetValidException or SecurityTokenInvalidLifetimeException => "is not valid at this time",
        _ => "is not one that this server issues", // an attacker learns nothing about what was nearly right
    };

    internal static FhirFailure Invalid(string reason) =>
        FhirFailure.Of(FailureKind.Unauthenticated, $"The access token {reason}.", detail: BearerChallenge.InvalidToken);
}
