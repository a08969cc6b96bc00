using System.Text.Encodings.Web;
using System.Text.Unicode;
using Authorization.Accounts;
using Authorization.Server;
using Authorization.Trail;
using FhirStore.Sealed;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Authorization.Pages;

/// <summary>Opens a visit, and renders its page.</summary>
public sealed class PageHost(
    Sessions sessions, PageCookies cookies, FormTokens forms, PublicAddresses addresses, SecurityRecord trail, IServiceProvider services, ILoggerFactory loggers)
{
    private const int LongestVisit = 43;
    private static readonly TimeSpan LanguageIsKept = TimeSpan.FromDays(365);

    internal PublicAddresses Addresses => addresses;

    internal SecurityRecord Trail => trail;

    internal async Task<Visit> OpenAsync(HttpContext context)
    {
        var ct = context.RequestAborted;
        var signedIn = await sessions.FindAnyAsync(context, ct);
        var secret = cookies.Read(context, PageCookies.Visit) is { Length: LongestVisit } known ? known : null;
        if (secret is null)
        {
            secret = SecretId.NewSecret();
            cookies.Write(context, PageCookies.Visit, secret);
        }
        if (PageLanguage.Asked(context.Request) is { } asked)
        {
            cookies.Write(context, PageCookies.Language, asked, LanguageIsKept);
        }
        var texts = PageLanguage.Of(context, cookies.Read(context, PageCookies.Language) ?? signedIn?.Account.Language);
        return new(this, context, texts, signedIn, forms.For(secret, signedIn?.SessionId), await ReadFormAsync(context.Request, ct));
    }

    /// <summary>Whether the form of a visit is one of ours.</summary>
    internal bool IsOurForm(Visit visit) =>
        cookies.Read(visit.Http, PageCookies.Visit) is { } secret
        && forms.IsRight(visit.Http.Request, visit.Typed(FormTokens.Field), secret, visit.AnySignedIn?.SessionId);

    /// <returns>Nothing where it is no form that a browser sends: then its token is missing, and it is refused.</returns>
    private static async Task<IFormCollection> ReadFormAsync(HttpRequest request, CancellationToken ct)
    {
        if (!HttpMethods.IsPost(request.Method) || request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) != true)
        {
            return FormCollection.Empty;
        }
        try
        {
            return await request.ReadFormAsync(ct);
        }
        catch (InvalidDataException)
        {
            return FormCollection.Empty;
        }
    }

    internal async Task RenderAsync<TPage>(Visit visit, int status, ParameterView parameters)
        where TPage : Page
    {
        await using var renderer = new HtmlRenderer(services, loggers);
        var html = await renderer.Dispatcher.InvokeAsync(async () => (await renderer.RenderComponentAsync<TPage>(parameters)).ToHtmlString());
        var response = visit.Http.Response;
        PageHeaders.Set(response, visit.EndsAtApps);
        response.Headers.ContentLanguage = visit.Texts.Language;
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        await response.WriteAsync(html, visit.Aborted);
    }
}
