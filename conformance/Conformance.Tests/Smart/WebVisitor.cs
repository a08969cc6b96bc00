using System.Net;
using AngleSharp.Dom;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;

namespace Conformance.Tests.Smart;

/// <summary>Somebody at a browser without scripts: keeps cookies, follows redirects of this server, fills in forms.</summary>
internal sealed class WebVisitor : IDisposable
{
    private const int MostRedirects = 10;
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, CookieContainer = new() }) { Timeout = TimeSpan.FromSeconds(60) };
    private readonly string _origin;

    /// <param name="server">Redirects to other origins are not followed: that is where the browser leaves for an app.</param>
    public WebVisitor(Uri server, string language = "en")
    {
        _origin = server.GetLeftPart(UriPartial.Authority);
        _http.DefaultRequestHeaders.Add("Accept", "text/html");
        _http.DefaultRequestHeaders.Add("Accept-Language", language);
    }

    public HttpStatusCode Status { get; private set; }

    public Uri Address { get; private set; } = new("about:blank");

    public IHtmlDocument Page { get; private set; } = new HtmlParser().ParseDocument("");

    /// <summary>Set where the last step ended at an app.</summary>
    public Uri? LeftFor { get; private set; }

    public HttpResponseMessage? Response { get; private set; }

    public Task GoAsync(string address) => SendAsync(new(HttpMethod.Get, new Uri(Address.IsAbsoluteUri && Address.Scheme.StartsWith("http", StringComparison.Ordinal) ? Address : new(_origin), address)));

    public Task PostAsync(string address, params (string Name, string Value)[] fields) => SendAsync(new(HttpMethod.Post, address)
    {
        Content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))),
    });

    public bool Has(string field) => Page.Forms.Any(form => form.Elements.Any(element => element.GetAttribute("name") == field));

    /// <summary>The one form with this button, or the only form of the page; fields keep what the page gave them.</summary>
    /// <param name="button">Value or name of the button to press; null presses the first.</param>
    public Task SubmitAsync(string? button, params (string Name, string Value)[] fields) => SubmitAsync(button, [], fields);

    /// <param name="without">Boxes to leave unticked: <c>name=value</c>.</param>
    public async Task SubmitAsync(string? button, string[] without, params (string Name, string Value)[] fields)
    {
        var form = Page.Forms.FirstOrDefault(form => (button is null || Buttons(form).Any(b => Names(b, button))) && fields.All(f => form.Elements.Any(e => e.GetAttribute("name") == f.Name)))
            ?? throw new InvalidOperationException($"{Address.AbsolutePath} ({(int)Status}) has no form with {button} {string.Join(' ', fields.Select(f => f.Name))}: {Page.Body?.TextContent}");
        var pressed = Buttons(form).FirstOrDefault(b => button is null || Names(b, button));
        var given = fields.Select(field => field.Name).ToHashSet(StringComparer.Ordinal);
        var values = new List<KeyValuePair<string, string>>(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        foreach (var element in form.Elements)
        {
            var name = element.GetAttribute("name");
            if (string.IsNullOrEmpty(name) || given.Contains(name))
            {
                continue;
            }
            switch (element)
            {
                case IHtmlInputElement { Type: "checkbox" or "radio", IsChecked: false }:
                case IHtmlInputElement { Type: "submit" }:
                case IHtmlButtonElement when element != pressed:
                    break;
                case IHtmlInputElement { Type: "checkbox" or "radio" } box:
                    if (!without.Contains($"{name}={box.Value}"))
                    {
                        values.Add(new(name, box.Value));
                    }
                    break;
                case IHtmlInputElement input:
                    values.Add(new(name, input.Value));
                    break;
                case IHtmlSelectElement select:
                    values.Add(new(name, select.Value ?? ""));
                    break;
                case IHtmlButtonElement press:
                    values.Add(new(name, press.GetAttribute("value") ?? ""));
                    break;
            }
        }
        var target = new Uri(Address, (pressed as IHtmlButtonElement)?.GetAttribute("formaction") ?? form.GetAttribute("action") ?? Address.AbsoluteUri);
        await SendAsync(new(HttpMethod.Post, target) { Content = new FormUrlEncodedContent(values) });
    }

    public void Dispose()
    {
        Response?.Dispose();
        _http.Dispose();
    }

    private static IEnumerable<IElement> Buttons(IHtmlFormElement form) => form.Elements.Where(element => element is IHtmlButtonElement);

    private static bool Names(IElement button, string text) => button.GetAttribute("value") == text || button.GetAttribute("name") == text;

    private async Task SendAsync(HttpRequestMessage request)
    {
        LeftFor = null;
        for (var i = 0; ; i++)
        {
            Response?.Dispose();
            Response = await _http.SendAsync(request);
            Address = request.RequestUri!;
            request.Dispose();
            Status = Response.StatusCode;
            if ((int)Status is not (301 or 302 or 303 or 307 or 308) || Response.Headers.Location is not { } location)
            {
                break;
            }
            var target = new Uri(Address, location);
            if (!target.AbsoluteUri.StartsWith(_origin + "/", StringComparison.Ordinal))
            {
                LeftFor = target;
                break;
            }
            Assert.True(i < MostRedirects, $"Redirected without end: {target}");
            request = new(HttpMethod.Get, target);
        }
        Page = new HtmlParser().ParseDocument(await Response.Content.ReadAsStringAsync());
    }
}
