using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using FhirCore;
using FhirStore.Encryption;

namespace SchedulingOperations.Finding;

/// <summary>A free time that was offered: whose schedules, and when.</summary>
/// <param name="ScheduleTokens">One or two 16-byte tokens; the schedules' names never leave.</param>
internal sealed record Proposal(ImmutableArray<byte[]> ScheduleTokens, TimeRange Span);

/// <summary>
/// Proposals as ids of at most 64 characters that need no memory of ours: schedule tokens, start and length, and a check that
/// only this server can make. Whether the time is still free is asked when the proposal is taken up.
/// </summary>
internal sealed class Proposals(IndexTokens tokens)
{
    public const int MostSchedules = 2;

    private const int TokenLength = 16;
    private const int TimeLength = 8; // start 5 bytes, length 3, both in seconds
    private const int CheckLength = 7;
    private const string Prefix = "p";
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.";

    private readonly IndexTokenKey _key = tokens.KeyFor("scheduling/proposal");

    /// <summary>False where the time is not whole seconds or too long to be put in an id.</summary>
    public static bool CanCarry(TimeRange span) =>
        span.Start.UtcTicks % TimeSpan.TicksPerSecond == 0 && span.Length.Ticks % TimeSpan.TicksPerSecond == 0 && span.Length.TotalSeconds < 1 << 24;

    public string Encode(Proposal proposal)
    {
        Span<byte> bytes = stackalloc byte[MostSchedules * TokenLength + TimeLength + CheckLength];
        var length = 0;
        foreach (var token in proposal.ScheduleTokens)
        {
            token.CopyTo(bytes[length..]);
            length += TokenLength;
        }
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(number, proposal.Span.Start.ToUnixTimeSeconds());
        number[3..].CopyTo(bytes[length..]);
        BinaryPrimitives.WriteInt64BigEndian(number, (long)proposal.Span.Length.TotalSeconds);
        number[5..].CopyTo(bytes[(length + 5)..]);
        length += TimeLength;
        _key.Token(bytes[..length], bytes.Slice(length, CheckLength));
        return string.Concat(Prefix, ToText(bytes[..(length + CheckLength)]));
    }

    public bool TryDecode([NotNullWhen(true)] string? id, [NotNullWhen(true)] out Proposal? proposal)
    {
        proposal = null;
        if (id is null || !id.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return false;
        }
        foreach (var schedules in (ReadOnlySpan<int>)[1, 2])
        {
            var length = schedules * TokenLength + TimeLength;
            if (id.Length != Prefix.Length + TextLength(length + CheckLength) || FromText(id.AsSpan(Prefix.Length), length + CheckLength) is not { } bytes)
            {
                continue;
            }
            Span<byte> check = stackalloc byte[CheckLength];
            _key.Token(bytes.AsSpan(0, length), check);
            if (!check.SequenceEqual(bytes.AsSpan(length)))
            {
                return false;
            }
            var list = ImmutableArray.CreateBuilder<byte[]>(schedules);
            for (var i = 0; i < schedules; i++)
            {
                list.Add(bytes[(i * TokenLength)..((i + 1) * TokenLength)]);
            }
            Span<byte> number = stackalloc byte[8];
            bytes.AsSpan(schedules * TokenLength, 5).CopyTo(number[3..]);
            var start = DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadInt64BigEndian(number));
            number.Clear();
            bytes.AsSpan(schedules * TokenLength + 5, 3).CopyTo(number[5..]);
            proposal = new(list.MoveToImmutable(), new(start, start.AddSeconds(BinaryPrimitives.ReadInt64BigEndian(number))));
            return true;
        }
        return false;
    }

    private static int TextLength(int bytes) => (bytes * 8 + 5) / 6;

    /// <summary>Six bits a character in the alphabet of FHIR ids, which has just 64.</summary>
    private static string ToText(ReadOnlySpan<byte> bytes)
    {
        Span<char> text = stackalloc char[TextLength(bytes.Length)];
        var (bits, count, at) = (0, 0, 0);
        foreach (var b in bytes)
        {
            bits = (bits << 8) | b;
            count += 8;
            while (count >= 6)
            {
                count -= 6;
                text[at++] = Alphabet[(bits >> count) & 63];
            }
            bits &= (1 << count) - 1;
        }
        if (count > 0)
        {
            text[at] = Alphabet[(bits << (6 - count)) & 63];
        }
        return new(text);
    }

    private static byte[]? FromText(ReadOnlySpan<char> text, int length)
    {
        var bytes = new byte[length];
        var (bits, count, at) = (0, 0, 0);
        foreach (var c in text)
        {
            var value = Alphabet.IndexOf(c, StringComparison.Ordinal);
            if (value < 0)
            {
                return null;
            }
            bits = (bits << 6) | value;
            count += 6;
            if (count >= 8 && at < length)
            {
                count -= 8;
                bytes[at++] = (byte)(bits >> count);
            }
            bits &= (1 << count) - 1;
        }
        return bits == 0 ? bytes : null;
    }
}
