using System.Globalization;
using System.Diagnostics.CodeAnalysis;

namespace Auditing.Blocks;

/// <summary>
/// Id of a block's record: its time and its chain, so that ids order as the blocks were made, over all processes. The event number
/// <c>n</c> of a block has the id of the block, a hyphen, and <c>n</c>.
/// </summary>
/// <param name="Microseconds">Since 0001-01-01 UTC.</param>
/// <param name="Chain">16 hexadecimal digits.</param>
internal readonly record struct BlockId(long Microseconds, string Chain)
{
    private const int TimeDigits = 15;
    private const int ChainDigits = 16;
    private const int Length = TimeDigits + 1 + ChainDigits;

    public DateTimeOffset Time => new(Microseconds * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);

    public static long MicrosecondsOf(DateTimeOffset instant) => instant.UtcTicks / TimeSpan.TicksPerMicrosecond;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Microseconds:x15}-{Chain}");

    public string EventId(int index) => string.Create(CultureInfo.InvariantCulture, $"{this}-{index}");

    public static bool TryParse(ReadOnlySpan<char> text, out BlockId id)
    {
        id = default;
        if (text.Length != Length || text[TimeDigits] != '-' || !IsHex(text[..TimeDigits]) || !IsHex(text[(TimeDigits + 1)..]))
        {
            return false;
        }
        id = new(long.Parse(text[..TimeDigits], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture), text[(TimeDigits + 1)..].ToString());
        return id.Microseconds <= MicrosecondsOf(DateTimeOffset.MaxValue);
    }

    /// <summary>Whether it has the form of an event's id; there need be none of that id.</summary>
    public static bool TryParseEvent([NotNullWhen(true)] string? text, out BlockId block, out int index)
    {
        index = 0;
        block = default;
        return text is { Length: > Length + 1 } && text[Length] == '-' && TryParse(text.AsSpan(0, Length), out block)
            && (text[Length + 1] != '0' || text.Length == Length + 2)
            && int.TryParse(text.AsSpan(Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out index);
    }

    private static bool IsHex(ReadOnlySpan<char> text) => text.IndexOfAnyExcept("0123456789abcdef") < 0;
}
