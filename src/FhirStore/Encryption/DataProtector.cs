namespace FhirStore.Encryption;

/// <summary>Small sealed values that leave the server and come back: page cursors, proposal ids. Encrypted and authenticated, url-safe text.</summary>
public sealed class DataProtector
{
    /// <param name="purpose">A value sealed for one purpose cannot be opened for another.</param>
    public string Seal(string purpose, ReadOnlySpan<byte> plain) => throw new NotImplementedException();

    /// <returns><see langword="false"/> when the text was not made by <see cref="Seal"/> for this purpose.</returns>
    public bool TryOpen(string purpose, ReadOnlySpan<char> text, out byte[] plain) => throw new NotImplementedException();
}
