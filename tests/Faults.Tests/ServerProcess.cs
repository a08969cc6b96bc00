using Conformance.Tests;

namespace Faults.Tests;

/// <summary>A server on the embedded engine: one process, whose data folder outlives restarts.</summary>
/// <param name="always">Settings of every start, by their names with colons.</param>
public sealed class ServerProcess(params (string Key, string Value)[] always) : Deployment
{
    private RunningServer? _server;

    public HttpClient Http { get; private set; } = null!;

    public RunningServer Running => _server!;

    /// <summary>What the server has said since its last start.</summary>
    public string Output => _server?.Output ?? "";

    public override Task StartAsync(CancellationToken ct) => StartAsync(ct, []);

    /// <param name="more">Settings of this start.</param>
    public async Task StartAsync(CancellationToken ct, params (string Key, string Value)[] more)
    {
        _server = await RunningServer.StartAsync(
            Path.Combine(WorkingDirectory, "data"), [],
            [.. Settings, .. always.Concat(more).Select(setting => new KeyValuePair<string, string>(setting.Key, setting.Value))], ct);
        Http?.Dispose();
        Http = await Tokens.SignInAsync(_server.Base, ClientId, ClientSecret, ct, connections: 128);
    }

    public override async Task KillAsync() => await _server!.DisposeAsync();

    protected override HttpClient Next() => Http;

    public override async ValueTask DisposeAsync()
    {
        Http?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
        await base.DisposeAsync();
    }
}
