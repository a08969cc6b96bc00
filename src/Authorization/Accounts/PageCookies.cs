using Authorization.Server;
using Microsoft.AspNetCore.Http;

namespace Authorization.Accounts;

/// <summary>
/// Cookies of the pages: out of scripts' reach, not sent with other sites' forms, and, where the server is reached by https, bound to
/// this very host (<c>__Host-</c>, RFC 6265bis section 4.1.3.2).
/// </summary>
public sealed class PageCookies(PublicAddresses addresses)
{
    public const string Session = "session";

    /// <summary>Binds forms to a browser that is not signed in yet.</summary>
    public const string Visit = "visit";

    public const string Language = "language";

    /// <summary>Something begun that waits for a code.</summary>
    public const string Flow = "flow";

    private const int Longest = 100;

    private readonly bool _secure = addresses.Issuer.StartsWith("https:", StringComparison.Ordinal);

    public string? Read(HttpContext context, string name) =>
        context.Request.Cookies[Name(name)] is { Length: > 0 and <= Longest } value ? value : null;

    /// <param name="lifetime">Null: until the browser is closed.</param>
    public void Write(HttpContext context, string name, string value, TimeSpan? lifetime = null) =>
        context.Response.Cookies.Append(Name(name), value, Settings(lifetime));

    public void Remove(HttpContext context, string name) => context.Response.Cookies.Delete(Name(name), Settings(null));

    private string Name(string name) => _secure ? $"__Host-{name}" : name;

    private CookieOptions Settings(TimeSpan? lifetime) =>
        new() { HttpOnly = true, Secure = _secure, SameSite = SameSiteMode.Lax, Path = "/", MaxAge = lifetime };
}
