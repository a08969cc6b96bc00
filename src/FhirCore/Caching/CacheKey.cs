using System.Text;

namespace FhirCore.Caching;

/// <summary>What a key may be. It is readable on the engine: it holds no id of a resource and no word of a client's, only tokens made of them.</summary>
public static class CacheKey
{
    /// <summary>UTF-8 bytes.</summary>
    public const int Longest = 200;

    /// <summary>Bytes of the longest value that is kept.</summary>
    public const int LongestValue = 4 << 20;

    /// <exception cref="ArgumentException">Empty, or longer than <see cref="Longest"/>. The message does not quote it.</exception>
    public static void Check(string key)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        if (key.Length > Longest || Encoding.UTF8.GetByteCount(key) > Longest)
        {
            throw new ArgumentException($"A cache key has at most {Longest} bytes.", nameof(key));
        }
    }
}
