using Authorization.Accounts;
using Microsoft.AspNetCore.Http;

namespace Authorization.Pages;

/// <summary>
/// Which language a page is shown in: <c>ui_locales</c> of the address (OpenID Connect Core section 3.1.2.1), then the one chosen before,
/// then what the browser prefers.
/// </summary>
internal static class PageLanguage
{
    public const string Parameter = "ui_locales";

    public static Texts Of(HttpContext context, string? chosen) =>
        Texts.Of(FirstOffered(Asked(context.Request), ' ') ?? FirstOffered(chosen, ' ') ?? Preferred(context.Request));

    /// <summary>Language that this very request asks for.</summary>
    public static string? Asked(HttpRequest request) => FirstOffered(request.Query[Parameter].ToString(), ' ');

    private static string? Preferred(HttpRequest request) =>
        request.GetTypedHeaders().AcceptLanguage
            .OrderByDescending(wanted => wanted.Quality ?? 1)
            .Select(wanted => Offered(wanted.Value.AsSpan()))
            .FirstOrDefault(language => language is not null);

    private static string? FirstOffered(string? wanted, char separator)
    {
        if (wanted is null)
        {
            return null;
        }
        foreach (var range in wanted.AsSpan().Split(separator))
        {
            if (Offered(wanted.AsSpan(range)) is { } language)
            {
                return language;
            }
        }
        return null;
    }

    /// <summary><c>ru</c> of <c>ru-RU</c>.</summary>
    private static string? Offered(ReadOnlySpan<char> tag)
    {
        var end = tag.IndexOf('-');
        var primary = (end < 0 ? tag : tag[..end]).Trim().ToString().ToLowerInvariant();
        return Texts.IsOffered(primary) ? primary : null;
    }
}
