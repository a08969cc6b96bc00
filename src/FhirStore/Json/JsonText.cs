using System.Buffers;
using System.Text;

namespace FhirStore.Json;

/// <summary>JSON's string escapes, over UTF-8 and without making strings.</summary>
internal static class JsonText
{
    /// <param name="raw">What stands between the quotes of a string that a JSON reader has accepted.</param>
    /// <param name="unescaped">At least as long as <paramref name="raw"/>.</param>
    /// <returns><see langword="false"/> where an escape names half of a surrogate pair: then the text is no Unicode text.</returns>
    public static bool TryUnescape(ReadOnlySpan<byte> raw, Span<byte> unescaped, out int written)
    {
        written = 0;
        while (true)
        {
            var plain = raw.IndexOf((byte)'\\');
            if (plain < 0)
            {
                raw.CopyTo(unescaped[written..]);
                written += raw.Length;
                return true;
            }
            raw[..plain].CopyTo(unescaped[written..]);
            written += plain;
            var escape = raw[plain + 1];
            raw = raw[(plain + 2)..];
            if (escape != (byte)'u')
            {
                unescaped[written++] = Simple(escape);
                continue;
            }
            var unit = Hex4(raw);
            raw = raw[4..];
            var rune = new Rune(0xFFFD);
            if (char.IsHighSurrogate(unit))
            {
                if (raw.Length < 6 || raw[0] != (byte)'\\' || raw[1] != (byte)'u' || !Rune.TryCreate(unit, Hex4(raw[2..]), out rune))
                {
                    return false;
                }
                raw = raw[6..];
            }
            else if (!Rune.TryCreate(unit, out rune))
            {
                return false;
            }
            written += rune.EncodeToUtf8(unescaped[written..]);
        }
    }

    /// <returns>Null where the text holds half a surrogate pair.</returns>
    public static string? ToStringOrNull(ReadOnlySpan<byte> raw)
    {
        var rented = ArrayPool<byte>.Shared.Rent(Math.Max(raw.Length, 1));
        try
        {
            return TryUnescape(raw, rented, out var written) ? Encoding.UTF8.GetString(rented.AsSpan(0, written)) : null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static byte Simple(byte escape) => escape switch
    {
        (byte)'b' => 8,
        (byte)'f' => 12,
        (byte)'n' => 10,
        (byte)'r' => 13,
        (byte)'t' => 9,
        _ => escape,
    };

    private static char Hex4(ReadOnlySpan<byte> digits) =>
        (char)((Hex(digits[0]) << 12) | (Hex(digits[1]) << 8) | (Hex(digits[2]) << 4) | Hex(digits[3]));

    private static int Hex(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
