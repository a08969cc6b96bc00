using System.Security.Cryptography;
using System.Text;

namespace Forecasting.Wire;

/// <summary>A UUID that follows from a name (version 8, RFC 9562): the same entry has the same address in every answer.</summary>
internal static class NameUuid
{
    public static string Of(string name)
    {
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true).ToString("D");
    }
}
