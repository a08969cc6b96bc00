using Conformance.Tests;
using Tests.Shared;

namespace Faults.Tests;

/// <summary>Several server processes on one MongoDB database, with one key file and nothing else in common. Requests go to each in turn.</summary>
public sealed class Cluster(int processes) : Deployment
{
    private readonly string _database = MongoServer.NewDatabase();
    private readonly RunningServer?[] _servers = new RunningServer?[processes];
    private readonly HttpClient?[] _http = new HttpClient?[processes];
    private int _next;
    private int _nextToKill;

    public override async Task StartAsync(CancellationToken ct)
    {
        var engine = SharedEngine.SettingsOrSkip(_database);
        for (var i = 0; i < processes; i++)
        {
            if (_servers[i] is { HasExited: false })
            {
                continue;
            }
            _servers[i] = await RunningServer.StartAsync(Path.Combine(WorkingDirectory, $"data-{i}"), [], [.. Settings, .. engine, new("Keys:File:Path", Path.Combine(WorkingDirectory, "keys", "master.key"))], ct);
            _http[i]?.Dispose();
            _http[i] = await Tokens.SignInAsync(_servers[i]!.Base, ClientId, ClientSecret, ct, connections: 128);
        }
    }

    public override async Task KillAsync() => await _servers[_nextToKill++ % processes]!.DisposeAsync();

    protected override HttpClient Next() => _http[(uint)Interlocked.Increment(ref _next) % processes]!;

    public override async ValueTask DisposeAsync()
    {
        foreach (var http in _http)
        {
            http?.Dispose();
        }
        foreach (var server in _servers)
        {
            if (server is not null)
            {
                await server.DisposeAsync();
            }
        }
        await SharedEngine.DropAsync(_database);
        await base.DisposeAsync();
    }
}
