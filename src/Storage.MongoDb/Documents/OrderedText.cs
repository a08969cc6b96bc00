namespace Storage.MongoDb.Documents;

/// <summary>
/// Bytes as text that orders as the bytes do. MongoDB orders binary values by their length first, so ranges over bytes are asked over text:
/// base64 without padding, over an alphabet in ordinal order.
/// </summary>
internal static class OrderedText
{
    private const string Alphabet = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
    private static readonly sbyte[] Values = MakeValues();

    public static int LengthOf(int bytes) => ((bytes * 8) + 5) / 6;

    public static string Of(ReadOnlySpan<byte> bytes) => string.Create(LengthOf(bytes.Length), bytes, static (text, bytes) => Write(bytes, text));

    public static string Of(string prefix, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        var length = first.Length + second.Length;
        var both = length <= 512 ? stackalloc byte[length] : new byte[length];
        first.CopyTo(both);
        second.CopyTo(both[first.Length..]);
        var text = length <= 512 ? stackalloc char[LengthOf(length)] : new char[LengthOf(length)];
        Write(both, text);
        return string.Concat(prefix, text);
    }

    /// <returns>Null where the text is not of this making.</returns>
    public static byte[]? Bytes(ReadOnlySpan<char> text)
    {
        var bytes = new byte[text.Length * 6 / 8];
        if (LengthOf(bytes.Length) != text.Length)
        {
            return null;
        }
        var (bits, held, next) = (0, 0, 0);
        foreach (var c in text)
        {
            if (c >= Values.Length || Values[c] < 0)
            {
                return null;
            }
            bits = ((bits << 6) | (byte)Values[c]) & 0xFFFF;
            held += 6;
            if (held >= 8)
            {
                held -= 8;
                bytes[next++] = (byte)(bits >> held);
            }
        }
        return (bits & ((1 << held) - 1)) == 0 ? bytes : null;
    }

    private static void Write(ReadOnlySpan<byte> bytes, Span<char> text)
    {
        var (bits, held, next) = (0, 0, 0);
        foreach (var b in bytes)
        {
            bits = ((bits << 8) | b) & 0xFFFF;
            held += 8;
            while (held >= 6)
            {
                held -= 6;
                text[next++] = Alphabet[(bits >> held) & 63];
            }
        }
        if (held > 0)
        {
            text[next] = Alphabet[(bits << (6 - held)) & 63];
        }
    }

    private static sbyte[] MakeValues()
    {
        var values = new sbyte[128];
        Array.Fill(values, (sbyte)-1);
        for (var i = 0; i < Alphabet.Length; i++)
        {
            values[Alphabet[i]] = (sbyte)i;
        }
        return values;
    }
}
