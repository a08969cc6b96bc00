using System.Net;
using Auditing.Entries;
using FhirCore;

namespace Auditing.Blocks;

/// <summary>An entry as the bytes that are hashed and stored. A format once written is read for ever: a change takes a new number.</summary>
internal static class EntryCodec
{
    private const byte Format = 1;

    public static void Write(AuditEntry entry, ByteWriter bytes)
    {
        bytes.Byte(Format);
        bytes.Byte((byte)entry.Kind);
        bytes.Byte((byte)entry.Interaction);
        bytes.Int64(entry.At.UtcTicks / TimeSpan.TicksPerMicrosecond);
        bytes.Number(Math.Max(0, entry.Took.Ticks / TimeSpan.TicksPerMicrosecond));
        bytes.Number(entry.Status);
        bytes.Text(entry.Type);
        bytes.Text(entry.Id);
        bytes.Number(entry.Version);
        bytes.Text(entry.Operation);
        bytes.Text(entry.ClientId);
        bytes.Text(entry.AccountId);
        bytes.Text(entry.FhirUser?.ToString());
        Write(entry.Address, bytes);
        bytes.Text(entry.RequestId);
        bytes.Text(entry.Query);
        bytes.Text(entry.Issue);
        bytes.Text(entry.Reason);
        bytes.Number(entry.Patients.Count);
        for (var i = 0; i < entry.Patients.Count; i++)
        {
            bytes.Text(entry.Patients[i]);
        }
        bytes.Number(entry.Links.Count);
        foreach (var link in entry.Links)
        {
            bytes.Text(link.Chain);
            bytes.Number(link.Blocks);
            bytes.Bytes(link.Hash.Span);
        }
    }

    /// <exception cref="FormatException">Not bytes that <see cref="Write(AuditEntry, ByteWriter)"/> made.</exception>
    public static AuditEntry Read(ReadOnlySpan<byte> entry)
    {
        var bytes = new ByteReader(entry);
        if (bytes.Byte() is var format && format != Format)
        {
            throw new FormatException($"Format {format} of an audit entry is not known.");
        }
        var read = new AuditEntry
        {
            Kind = (AuditKind)bytes.Byte(),
            Interaction = (AuditInteraction)bytes.Byte(),
            At = Instant(bytes.Int64()),
            Took = new(bytes.Number() * TimeSpan.TicksPerMicrosecond),
            Status = (int)bytes.Number(),
            Type = bytes.Text(),
            Id = bytes.Text(),
            Version = bytes.Number(),
            Operation = bytes.Text(),
            ClientId = bytes.Text(),
            AccountId = bytes.Text(),
            FhirUser = bytes.Text() is { } user ? ResourceKey.TryParse(user, out var key) ? key : throw new FormatException("A user is no reference.") : null,
            Address = ReadAddress(bytes.Bytes()),
            RequestId = bytes.Text(),
            Query = bytes.Text(),
            Issue = bytes.Text(),
            Reason = bytes.Text(),
            Patients = ReadTexts(ref bytes),
            Links = ReadLinks(ref bytes),
        };
        return bytes.IsAtEnd ? read : throw new FormatException("Something follows the entry.");
    }

    private static void Write(IPAddress? address, ByteWriter bytes)
    {
        Span<byte> raw = stackalloc byte[16];
        var plain = address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
        bytes.Bytes(plain is not null && plain.TryWriteBytes(raw, out var written) ? raw[..written] : default);
    }

    private static IPAddress? ReadAddress(ReadOnlySpan<byte> raw) => raw.Length switch
    {
        0 => null,
        4 or 16 => new(raw),
        _ => throw new FormatException("An address has 4 or 16 bytes."),
    };

    private static DateTimeOffset Instant(long microseconds) =>
        microseconds >= 0 && microseconds <= DateTimeOffset.MaxValue.Ticks / TimeSpan.TicksPerMicrosecond
            ? new(microseconds * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero)
            : throw new FormatException("A time is beyond the calendar.");

    private static string[] ReadTexts(ref ByteReader bytes)
    {
        var count = bytes.Count();
        if (count == 0)
        {
            return [];
        }
        var texts = new string[count];
        for (var i = 0; i < count; i++)
        {
            texts[i] = bytes.Text() ?? throw new FormatException("A text is missing.");
        }
        return texts;
    }

    private static ChainLink[] ReadLinks(ref ByteReader bytes)
    {
        var count = bytes.Count();
        if (count == 0)
        {
            return [];
        }
        var links = new ChainLink[count];
        for (var i = 0; i < count; i++)
        {
            links[i] = new(bytes.Text() ?? throw new FormatException("A chain has no name."), bytes.Number(), bytes.Bytes().ToArray());
        }
        return links;
    }
}
