using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Browser.Tests.Chromium))]

namespace Browser.Tests;

/// <summary>The system's Chromium, started once for all tests. Where it is missing the tests skip and say so.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        if (Find() is not { } program)
        {
            return;
        }
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = program,
            Headless = true,
            // Chromium refuses its sandbox to root, which is who runs tests in a container.
            Args = Environment.UserName == "root" ? ["--no-sandbox"] : [],
        });
    }

    /// <summary>A browser nobody has used before: no cookies, no storage.</summary>
    public async Task<IBrowserContext> OpenAsync(string locale = "en-US")
    {
        Assert.SkipWhen(_browser is null, "chromium is not installed: apt-get install chromium");
        var context = await _browser!.NewContextAsync(new() { Locale = locale });
        context.SetDefaultTimeout(30_000);
        return context;
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }
        _playwright?.Dispose();
    }

    private static string? Find() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .SelectMany(folder => Names.Select(name => Path.Combine(folder, name)))
            .FirstOrDefault(File.Exists);
}
