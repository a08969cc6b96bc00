using Microsoft.Playwright;
using Conformance.Tests;

namespace Browser.Tests;

/// <summary>What a page of another origin may see without signing in, as a browser decides it.</summary>
public sealed class DiscoveryTests(Chromium chromium)
{
    /// <summary>https://hl7.org/fhir/smart-app-launch/conformance.html: discovery is open to every origin.</summary>
    [Theory]
    [InlineData(".well-known/smart-configuration", "token_endpoint")]
    [InlineData("metadata", "fhirVersion")]
    public async Task Discovery_FromAPageOfAnotherOrigin_IsReadable(string path, string member)
    {
        await using var browser = await chromium.OpenAsync();
        await using var app = await SmartApp.StartAsync();
        var folder = Directory.CreateTempSubdirectory("fhir-browser-");
        try
        {
            await using var server = await RunningServer.StartAsync(Path.Combine(folder.FullName, "data"), [], [], CancellationToken.None);
            var page = await browser.NewPageAsync();
            await page.GotoAsync(app.RedirectUri);

            var found = await page.EvaluateAsync<bool>(
                "async ([url, member]) => member in await (await fetch(url, { headers: { Accept: 'application/json' } })).json()", new[] { new Uri(server.Base, path).AbsoluteUri, member });

            Assert.True(found);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
