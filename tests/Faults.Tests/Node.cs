using Conformance.Tests;
using Tests.Shared;

namespace Faults.Tests;

/// <summary>One of several processes, on a port that it keeps when it is started again.</summary>
internal sealed class Node(string folder, string name, params KeyValuePair<string, string>[] settings) : IAsyncDisposable
{
    private RunningServer? _server;

    public int Port { get; } = FreePort.Draw();

    public string Output => _server?.Output ?? "";

    public Uri Base => _server!.Base;

    public async Task StartAsync(CancellationToken ct) =>
        _server = await RunningServer.StartAsync(Path.Combine(folder, name), [], settings, ct, Port);

    /// <summary>As an upgrade does: SIGTERM, wait for the end, start.</summary>
    public async Task RestartAsync(CancellationToken ct)
    {
        _server!.Terminate();
        Assert.Equal(0, await _server.WaitForExitAsync(TimeSpan.FromSeconds(60), ct));
        await _server.DisposeAsync();
        await StartAsync(ct);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }
}
