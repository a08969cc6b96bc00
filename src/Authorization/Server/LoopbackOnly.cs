using System.Net;

namespace Authorization.Server;

/// <summary>What <c>Auth:AllowAnonymousOnLoopback</c> demands: that nobody but this machine can reach the server.</summary>
public static class LoopbackOnly
{
    /// <param name="urls">As Kestrel takes them: <c>http://127.0.0.1:8080</c>, <c>http://[::1]:0</c>, <c>http://*:80</c>, several in one separated by semicolons.</param>
    /// <exception cref="InvalidOperationException">An address is no loopback address, or there is none to check.</exception>
    public static void Check(IEnumerable<string> urls)
    {
        ArgumentNullException.ThrowIfNull(urls);
        var all = urls.SelectMany(url => url.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).ToArray();
        if (all.Length == 0)
        {
            throw new InvalidOperationException("Auth:AllowAnonymousOnLoopback needs listening addresses to be told, such as http://127.0.0.1:8080.");
        }
        foreach (var url in all)
        {
            if (!IsLoopback(url))
            {
                throw new InvalidOperationException($"Auth:AllowAnonymousOnLoopback is on, but {url} can be reached from other machines. Listen on http://127.0.0.1:8080, or turn it off.");
            }
        }
    }

    private static bool IsLoopback(string url)
    {
        if (url.Contains("://unix:", StringComparison.OrdinalIgnoreCase) || url.Contains("://pipe:", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }
        return Uri.TryCreate(url, UriKind.Absolute, out var uri)
            && (string.Equals(uri.Host, "localhost", StringComparison.OrdinalIgnoreCase)
                || (IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address)));
    }
}
