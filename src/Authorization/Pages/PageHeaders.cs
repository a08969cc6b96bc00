using Microsoft.AspNetCore.Http;

namespace Authorization.Pages;

/// <summary>Headers of every answer of the pages.</summary>
internal static class PageHeaders
{
    // Nothing from elsewhere, nothing inline, and nobody may frame a page to make people click on it.
    private const string Content = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";
    private const string OwnForms = Content + "; form-action 'self'";

    /// <param name="endsAtApps">
    /// The page's form may lead on to an app. Chromium checks <c>form-action</c> on the redirects that follow too, and an app's address can be
    /// anything (also <c>com.example:/callback</c>), so such a page has none.
    /// </param>
    public static void Set(HttpResponse response, bool endsAtApps)
    {
        var headers = response.Headers;
        headers.ContentSecurityPolicy = endsAtApps ? Content : OwnForms;
        // Not no-referrer: with that, browsers send "Origin: null" with our own forms, and the check of where a form came from is lost.
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers.CacheControl = "no-store";
        headers.Remove("Access-Control-Allow-Origin");
    }
}
