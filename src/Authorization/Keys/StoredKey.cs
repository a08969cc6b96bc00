namespace Authorization.Keys;

/// <summary>A key of the authorization server, as its record holds it. The record is sealed like every other.</summary>
/// <param name="Algorithm">Such as <see cref="ServerKeys.SigningAlgorithm"/>.</param>
/// <param name="Key">PKCS#8 of a private key, or the bytes of a symmetric one.</param>
/// <param name="SignsFrom">When it begins to sign; null for one that has from its creation on.</param>
public sealed record StoredKey(string Algorithm, byte[] Key, DateTimeOffset Created, DateTimeOffset? SignsFrom = null);
