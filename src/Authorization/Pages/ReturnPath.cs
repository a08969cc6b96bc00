using Authorization.Server;

namespace Authorization.Pages;

/// <summary>Where a browser goes after it has signed in: only to this server's own pages, or an open redirect would make our address a phisher's.</summary>
internal static class ReturnPath
{
    private const int Longest = 8 * 1024;

    /// <returns>Null where it is not a path below <see cref="PublicAddresses.PublicPath"/>.</returns>
    public static string? Check(string? path, PublicAddresses addresses)
    {
        var below = addresses.PublicPath + "/";
        if (path is not { Length: <= Longest } || !path.StartsWith(below, StringComparison.Ordinal) || path.AsSpan().IndexOfAnyExceptInRange('!', '~') >= 0)
        {
            return null;
        }
        // Dot segments could lead out of the pages; a browser reads a backslash as a slash.
        var end = path.IndexOfAny(['?', '#']);
        var plain = Uri.UnescapeDataString(end < 0 ? path : path[..end]);
        return plain.Contains('\\', StringComparison.Ordinal) || plain.Contains("//", StringComparison.Ordinal) || plain.Split('/').Any(part => part is "." or "..")
            ? null
            : path;
    }
}
