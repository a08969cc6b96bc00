using FhirServer.Settings;
using Microsoft.Extensions.Primitives;

namespace FhirServer.Http;

/// <summary>
/// Headers that every answer has, whoever wrote it. Nothing here is a page to be shown, framed or loaded by another; those that are
/// (sign-in) have said so themselves by then, and keep what they said.
/// </summary>
internal sealed class SecurityHeaders(ServerSettings settings)
{
    private static readonly StringValues NoSniff = new("nosniff");
    private static readonly StringValues NoContent = new("default-src 'none'; frame-ancestors 'none'");
    private static readonly StringValues NoReferrer = new("no-referrer");
    private static readonly StringValues SameOrigin = new("same-origin");
    private static readonly StringValues TwoYears = new("max-age=63072000; includeSubDomains");

    private readonly bool _isHttps = settings.BaseUrl.Scheme == Uri.UriSchemeHttps;

    public void Write(IHeaderDictionary headers)
    {
        headers.XContentTypeOptions = NoSniff;
        if (headers.ContentSecurityPolicy.Count == 0)
        {
            headers.ContentSecurityPolicy = NoContent;
        }
        headers.TryAdd("Referrer-Policy", NoReferrer);
        headers.TryAdd("Cross-Origin-Resource-Policy", SameOrigin);
        if (_isHttps)
        {
            headers.StrictTransportSecurity = TwoYears;
        }
    }
}
