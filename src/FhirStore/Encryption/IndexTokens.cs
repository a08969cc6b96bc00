namespace FhirStore.Encryption;

/// <summary>Keyed tokens for the search values of personal parameters: HMAC-SHA-256 under a key of their own per use, truncated.</summary>
public sealed class IndexTokens
{
    /// <summary>The key of one use, derived once and kept.</summary>
    /// <param name="use">Such as <c>Patient/identifier/value</c>.</param>
    public IndexTokenKey KeyFor(string use) => throw new NotImplementedException();
}

/// <summary>Makes the tokens of one use. Safe to share between threads.</summary>
public sealed class IndexTokenKey
{
    /// <param name="destination">Filled whole: its length, 1 to 32 bytes, is the token's.</param>
    public void Token(ReadOnlySpan<byte> value, Span<byte> destination) => throw new NotImplementedException();

    /// <summary>The token of the UTF-8 bytes of a text.</summary>
    public void Token(ReadOnlySpan<char> value, Span<byte> destination) => throw new NotImplementedException();
}
