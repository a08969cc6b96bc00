using System.Security.Cryptography;
using Microsoft.IdentityModel.Tokens;

namespace Authorization.Keys;

/// <summary>What a series of keys is for.</summary>
internal enum KeySeries
{
    /// <summary>ES256: access tokens, and what OpenIddict keeps to itself.</summary>
    AccessToken,

    /// <summary>RS256: id tokens; every OpenID client must know how to verify it.</summary>
    IdToken,
}

/// <summary>One key of a series.</summary>
/// <param name="Number">Counts from 1.</param>
internal sealed record SigningKey(KeySeries Series, int Number, DateTimeOffset SignsFrom, AsymmetricSecurityKey Key)
{
    private const int RsaBits = 2048;

    public static string AlgorithmOf(KeySeries series) => series == KeySeries.IdToken ? SecurityAlgorithms.RsaSha256 : SecurityAlgorithms.EcdsaSha256;

    /// <returns>PKCS#8.</returns>
    public static byte[] Make(KeySeries series)
    {
        using AsymmetricAlgorithm key = series == KeySeries.IdToken ? RSA.Create(RsaBits) : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportPkcs8PrivateKey();
    }

    public static SigningKey Of(KeySeries series, int number, StoredKey stored)
    {
        AsymmetricSecurityKey key;
        if (series == KeySeries.IdToken)
        {
            var rsa = RSA.Create();
            rsa.ImportPkcs8PrivateKey(stored.Key, out _);
            key = new RsaSecurityKey(rsa);
        }
        else
        {
            var ecdsa = ECDsa.Create();
            ecdsa.ImportPkcs8PrivateKey(stored.Key, out _);
            key = new ECDsaSecurityKey(ecdsa);
        }
        key.KeyId = Base64UrlEncoder.Encode(key.ComputeJwkThumbprint()); // RFC 7638
        return new(series, number, stored.SignsFrom ?? stored.Created, key);
    }

    public SigningCredentials Credentials => new(Key, AlgorithmOf(Series));
}
