using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using K4os.Compression.LZ4;

namespace FhirStore.Encryption;

/// <summary>
/// What is encrypted of a body: its length (4 bytes, big-endian), the length of its packed form (4), the packed form (LZ4, or the
/// body itself where LZ4 gains nothing), and zeros up to a multiple of 256, so that a size tells little about a content.
/// </summary>
internal static class BodyFrame
{
    public const int SizeClass = 256;

    private const int Head = 8;

    /// <param name="rented">From the shared array pool, to be given back there; the frame is its beginning.</param>
    /// <returns>Length of the frame.</returns>
    public static int Write(ReadOnlySpan<byte> body, out byte[] rented)
    {
        rented = ArrayPool<byte>.Shared.Rent(RoundUp(Head + LZ4Codec.MaximumOutputSize(body.Length)));
        var packed = body.Length < 64 ? -1 : LZ4Codec.Encode(body, rented.AsSpan(Head), LZ4Level.L00_FAST);
        if (packed <= 0 || packed >= body.Length)
        {
            packed = body.Length;
            body.CopyTo(rented.AsSpan(Head));
        }
        BinaryPrimitives.WriteInt32BigEndian(rented, body.Length);
        BinaryPrimitives.WriteInt32BigEndian(rented.AsSpan(4), packed);
        var length = RoundUp(Head + packed);
        rented.AsSpan(Head + packed, length - Head - packed).Clear();
        return length;
    }

    /// <exception cref="CryptographicException">Not a frame.</exception>
    public static byte[] Read(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < Head)
        {
            throw new CryptographicException("The frame is too short.");
        }
        var length = BinaryPrimitives.ReadInt32BigEndian(frame);
        var packed = BinaryPrimitives.ReadInt32BigEndian(frame[4..]);
        if (packed < 0 || packed > length || packed > frame.Length - Head)
        {
            throw new CryptographicException("The frame's lengths do not agree.");
        }
        var content = frame.Slice(Head, packed);
        if (packed == length)
        {
            return content.ToArray();
        }
        var body = GC.AllocateUninitializedArray<byte>(length);
        if (LZ4Codec.Decode(content, body) != length)
        {
            throw new CryptographicException("The frame's content cannot be unpacked.");
        }
        return body;
    }

    private static int RoundUp(int length) => checked(length + SizeClass - 1) / SizeClass * SizeClass;
}
