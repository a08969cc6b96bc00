using System.Text.RegularExpressions;
using Conformance.Tests;

[assembly: AssemblyFixture(typeof(FhirServer.Tests.Demo.DemoServer))]

namespace FhirServer.Tests.Demo;

/// <summary>One start with <c>--demo</c> on an empty folder, shared by the tests that look at it from outside; started when first asked for.</summary>
public sealed partial class DemoServer : IAsyncLifetime
{
    private readonly SemaphoreSlim _starting = new(1);
    private readonly string _directory = Directory.CreateTempSubdirectory("fhir-demo-").FullName;
    private RunningServer? _server;

    public string ClientId { get; private set; } = "";

    public string ClientSecret { get; private set; } = "";

    /// <summary>Names and passwords as the first start printed them.</summary>
    public IReadOnlyDictionary<string, string> Users { get; private set; } = new Dictionary<string, string>();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async Task<RunningServer> GetAsync(CancellationToken ct)
    {
        await _starting.WaitAsync(ct);
        try
        {
            if (_server is null)
            {
                _server = await StartAsync(ct);
                var printed = Credentials().Match(_server.Output);
                Assert.True(printed.Success, _server.Output);
                Users = People().Matches(_server.Output).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value, StringComparer.Ordinal);
                (ClientId, ClientSecret) = (printed.Groups[1].Value, printed.Groups[2].Value);
            }
            return _server;
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <returns>What the second start wrote; the server runs again after it.</returns>
    public async Task<string> RestartAsync(CancellationToken ct)
    {
        await (await GetAsync(ct)).DisposeAsync();
        _server = await StartAsync(ct);
        return _server.Output;
    }

    /// <returns>A client with the printed secret's token.</returns>
    public async Task<HttpClient> SignInAsync(CancellationToken ct) => await Tokens.SignInAsync((await GetAsync(ct)).Base, ClientId, ClientSecret, ct);

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
        _starting.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [GeneratedRegex(@"CLIENT_ID=(\S+) +CLIENT_SECRET=(\S+)")]
    public static partial Regex Credentials();

    [GeneratedRegex(@"^ +(demo\.\S+) +(\S+) +\(", RegexOptions.Multiline)]
    public static partial Regex People();

    private async Task<RunningServer> StartAsync(CancellationToken ct)
    {
        var server = await RunningServer.StartAsync(Path.Combine(_directory, "data"), ["--demo", "--Demo:HistoryWeeks=0"], [], ct);
        while (!server.Output.Contains("Ready.", StringComparison.Ordinal)) // it answers before the hospital is complete
        {
            Assert.False(server.HasExited, server.Output);
            await Task.Delay(50, ct);
        }
        return server;
    }
}
