using System.Buffers;
using FhirCore;

namespace Subscriptions.Writing;

/// <summary>
/// <c>Subscription.channel.header</c>: what a rest-hook is sent with, each <c>Name: value</c>. The values are secrets more often than not:
/// they are kept beside the Subscription, which shows their names only.
/// </summary>
public static class HeaderReader
{
    /// <summary>Stands for a value that is kept. Sent back as it is, it leaves the value as it was.</summary>
    public const string Mask = "****";

    private const int MostHeaders = 20;
    private const int LongestHeader = 4_096;

    /// <summary>https://www.rfc-editor.org/rfc/rfc9110#name-tokens</summary>
    private static readonly SearchValues<char> TokenCharacters = SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    /// <summary>Belong to the connection, to the body, or to the server itself.</summary>
    private static readonly HashSet<string> Own = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Connection", "Keep-Alive", "Upgrade", "TE", "Trailer", "Expect", "Date",
        "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "webhook-id", "webhook-timestamp", "webhook-signature",
    };

    /// <param name="written">As they stand in the Subscription.</param>
    /// <param name="kept">Those of the version before, where values of them may be kept.</param>
    public static Outcome<IReadOnlyList<string>> Read(IReadOnlyList<string> written, IReadOnlyList<string> kept)
    {
        ArgumentNullException.ThrowIfNull(written);
        ArgumentNullException.ThrowIfNull(kept);
        if (written.Count > MostHeaders)
        {
            return Refuse($"A channel has at most {MostHeaders} headers.", "Subscription.channel.header");
        }
        var headers = new List<string>(written.Count);
        for (var i = 0; i < written.Count; i++)
        {
            var at = $"Subscription.channel.header[{i}]";
            if (!TrySplit(written[i], out var name, out var value))
            {
                return Refuse("A header is written as Name: value, the value of printable ASCII characters.", at);
            }
            if (Own.Contains(name) || name.StartsWith("Proxy-", StringComparison.OrdinalIgnoreCase) || name.StartsWith("Sec-", StringComparison.OrdinalIgnoreCase))
            {
                return Refuse($"The header {name} is the server's own to set.", at);
            }
            if (value == Mask)
            {
                if (kept.FirstOrDefault(header => TrySplit(header, out var known, out _) && known.Equals(name, StringComparison.OrdinalIgnoreCase)) is not { } before)
                {
                    return Refuse($"The value of {name} is not at hand: send it again. It is kept only while the endpoint and its owner stay the same.", at);
                }
                headers.Add(before);
            }
            else
            {
                headers.Add($"{name}: {value}");
            }
        }
        return headers;
    }

    public static string Masked(string header) => TrySplit(header, out var name, out _) ? $"{name}: {Mask}" : Mask;

    public static bool TrySplit(string header, out string name, out string value)
    {
        ArgumentNullException.ThrowIfNull(header);
        (name, value) = ("", "");
        var colon = header.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0 || header.Length > LongestHeader)
        {
            return false;
        }
        name = header[..colon];
        value = header[(colon + 1)..].Trim(' ', '\t');
        return name.AsSpan().IndexOfAnyExcept(TokenCharacters) < 0 && value.Length > 0 && value.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0;
    }

    private static FhirFailure Refuse(string why, string at) => FhirFailure.Of(FailureKind.Unprocessable, why, at, "value");
}
