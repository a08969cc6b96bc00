using Conformance.Tests;

namespace Faults.Tests;

/// <summary>A server on the embedded engine: one process, whose data folder outlives restarts.</summary>
public sealed class ServerProcess : Deployment
{
    private RunningServer? _server;
    private HttpClient? _http;

    /// <summary>What the server has said since its last start.</summary>
    public string Output => _server?.Output ?? "";

    public override async Task StartAsync(CancellationToken ct)
    {
        _server = await RunningServer.StartAsync(Path.Combine(WorkingDirectory, "data"), [], Settings, ct);
        _http?.Dispose();
        _http = await Tokens.SignInAsync(_server.Base, ClientId, ClientSecret, ct, connections: 128);
    }

    public override async Task KillAsync() => await _server!.DisposeAsync();

    protected override HttpClient Next() => _http!;

    public override async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
        await base.DisposeAsync();
    }
}
