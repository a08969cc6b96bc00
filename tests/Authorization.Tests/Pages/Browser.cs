using System.Net;
using AngleSharp.Dom;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;

namespace Authorization.Tests.Pages;

/// <summary>A browser without JavaScript: keeps cookies, follows redirects to this server, and sends forms as they stand on the page.</summary>
public sealed class Browser(TestServer server, string language = "en") : IDisposable
{
    private static readonly HtmlParser Parser = new();
    private readonly HttpClient _http = new(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = server.Http.BaseAddress };

    public static string Origin { get; } = new Uri(TestServer.BaseUrl).GetLeftPart(UriPartial.Authority);

    public Dictionary<string, string> Cookies { get; } = new(StringComparer.Ordinal);

    /// <summary>What was shown last.</summary>
    public IHtmlDocument Page { get; private set; } = null!;

    /// <summary>Path and query of what was shown last, or where the last redirect led to outside of this server.</summary>
    public string Location { get; private set; } = "";

    public HttpResponseMessage Response { get; private set; } = null!;

    public int Status => (int)Response.StatusCode;

    public string Text => Page.QuerySelector("main")?.TextContent ?? Page.DocumentElement.TextContent;

    public string Title => Page.QuerySelector("h1")?.TextContent ?? "";

    public string? Alert => Page.QuerySelector("[role=alert]")?.TextContent;

    public async Task<Browser> GoAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        await SendAsync(request);
        return this;
    }

    /// <summary>Fills in and sends the form of <c>main</c> that leads to the action.</summary>
    public async Task<Browser> SubmitAsync(string action, params (string Name, string Value)[] fields)
    {
        var (path, values) = FormOf(action);
        foreach (var (name, value) in fields)
        {
            values[name] = value;
        }
        return await PostAsync(path, values);
    }

    public (string Path, Dictionary<string, string> Values) FormOf(string action)
    {
        var forms = Page.QuerySelectorAll("form").Cast<IHtmlFormElement>();
        var form = forms.FirstOrDefault(found => found.GetAttribute("action")!.Split('?')[0].EndsWith("/auth/" + action, StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"No form leads to {action} on: {Page.DocumentElement.OuterHtml}");
        Assert.Equal("post", form.Method);
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var input in form.QuerySelectorAll("input, select").Where(input => input.GetAttribute("name") is not null))
        {
            switch (input)
            {
                case IHtmlInputElement { Type: "checkbox" or "radio", IsChecked: false }:
                    break;
                case IHtmlInputElement plain:
                    values[plain.Name!] = plain.Value;
                    break;
                case IHtmlSelectElement select:
                    values[select.Name!] = select.Value ?? "";
                    break;
            }
        }
        return (form.GetAttribute("action")!, values);
    }

    public async Task<Browser> PostAsync(string path, Dictionary<string, string> values, string? origin = "")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(values) };
        if (origin is not null)
        {
            request.Headers.TryAddWithoutValidation("Origin", origin.Length == 0 ? server.Origin : origin);
        }
        await SendAsync(request);
        return this;
    }

    public async Task<Browser> SignInAsync(string userName, string password, string? returnTo = null)
    {
        await GoAsync("/auth/sign-in" + (returnTo is null ? "" : $"?return={Uri.EscapeDataString(returnTo)}"));
        return await SubmitAsync("sign-in", ("username", userName), ("password", password));
    }

    public void Dispose() => _http.Dispose();

    private async Task SendAsync(HttpRequestMessage request)
    {
        request.Headers.TryAddWithoutValidation("Accept-Language", language);
        request.Headers.TryAddWithoutValidation("User-Agent", "Test browser");
        request.Headers.TryAddWithoutValidation("Cookie", string.Join("; ", Cookies.Select(pair => $"{pair.Key}={pair.Value}")));
        var response = await _http.SendAsync(request);
        if (response.Headers.TryGetValues("Set-Cookie", out var set))
        {
            foreach (var cookie in set)
            {
                Keep(cookie);
            }
        }
        Response = response;
        Location = request.RequestUri!.IsAbsoluteUri ? request.RequestUri.PathAndQuery : request.RequestUri.OriginalString;
        if (response.StatusCode is HttpStatusCode.SeeOther or HttpStatusCode.Found)
        {
            var target = response.Headers.Location!.OriginalString;
            if (target.StartsWith('/') || target.StartsWith(server.Origin + "/", StringComparison.Ordinal))
            {
                await GoAsync(target.Replace(server.Origin, "", StringComparison.Ordinal));
                return;
            }
            Location = target;
        }
        Page = Parser.ParseDocument(await response.Content.ReadAsStringAsync());
        if (response.Content.Headers.ContentType?.MediaType == "text/html")
        {
            PageRules.Check(Page, response);
        }
    }

    private void Keep(string cookie)
    {
        var parts = cookie.Split(';', StringSplitOptions.TrimEntries);
        var (name, value) = (parts[0][..parts[0].IndexOf('=')], parts[0][(parts[0].IndexOf('=') + 1)..]);
        var isSecure = server.Origin.StartsWith("https:", StringComparison.Ordinal);
        Assert.Equal(isSecure, name.StartsWith("__Host-", StringComparison.Ordinal));
        Assert.Equal(isSecure, parts.Contains("secure", StringComparer.OrdinalIgnoreCase));
        Assert.Contains("httponly", parts, StringComparer.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", parts, StringComparer.OrdinalIgnoreCase);
        Assert.Contains("path=/", parts, StringComparer.OrdinalIgnoreCase);
        if (value.Length == 0)
        {
            Cookies.Remove(name);
        }
        else
        {
            Cookies[name] = value;
        }
    }
}

/// <summary>What holds for every page, checked on every page a test sees.</summary>
internal static class PageRules
{
    public static void Check(IHtmlDocument page, HttpResponseMessage response)
    {
        var policy = response.Headers.GetValues("Content-Security-Policy").Single();
        foreach (var part in new[] { "default-src 'none'", "style-src 'self'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'" })
        {
            Assert.Contains(part, policy.Split("; "));
        }
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("same-origin", response.Headers.GetValues("Referrer-Policy").Single());
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.True(response.Headers.CacheControl!.NoStore);
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));

        Assert.Contains(page.DocumentElement.GetAttribute("lang"), new[] { "en", "ru" });
        Assert.Equal(page.DocumentElement.GetAttribute("lang"), response.Content.Headers.ContentLanguage.Single());
        Assert.NotEmpty(page.Title!);
        Assert.Single(page.QuerySelectorAll("h1"));
        Assert.Single(page.QuerySelectorAll("main"));
        Assert.Empty(page.QuerySelectorAll("style, [style], [onclick], [onload], script:not([src])"));
        var ids = page.QuerySelectorAll("[id]").Select(element => element.Id!).ToArray();
        Assert.Equal(ids.Length, ids.Distinct(StringComparer.Ordinal).Count());
        foreach (var input in page.QuerySelectorAll("input:not([type=hidden]), select"))
        {
            Assert.True(
                page.QuerySelector($"label[for='{input.Id}']") is not null || input.Closest("label") is not null, $"{input.OuterHtml} has no label");
            Assert.True(input is not IHtmlInputElement { Type: "text" or "password" or "email" or "tel" } || input.HasAttribute("autocomplete"), $"{input.OuterHtml} says no autocomplete");
        }
        foreach (var described in page.QuerySelectorAll("[aria-describedby]"))
        {
            Assert.All(described.GetAttribute("aria-describedby")!.Split(' '), id => Assert.NotNull(page.GetElementById(id)));
        }
        Assert.All(page.QuerySelectorAll("img"), image => Assert.True(image.HasAttribute("alt")));
        Assert.All(page.QuerySelectorAll("form[method=post]"), form => Assert.NotNull(form.QuerySelector("input[type=hidden][name=form_token]")));
        Assert.All(page.QuerySelectorAll(".faults a"), link => Assert.NotNull(page.GetElementById(link.GetAttribute("href")!.TrimStart('#'))));
    }
}
