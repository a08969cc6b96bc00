namespace Authorization.Keys;

/// <summary>A key of the authorization server, as its record holds it. The record is sealed like every other.</summary>
/// <param name="Algorithm"><see cref="ServerKeys.SigningAlgorithm"/>, or <see cref="ServerKeys.EncryptionAlgorithm"/>.</param>
/// <param name="Key">PKCS#8 of a private key, or the bytes of a symmetric one.</param>
public sealed record StoredKey(string Algorithm, byte[] Key, DateTimeOffset Created);
