using Conformance.Tests;
using Tests.Shared;

namespace Faults.Tests;

/// <summary>
/// Several server processes on one MongoDB database, with one key file and nothing else in common. Requests go in turn to each that answers
/// them, and the kills to each of the workers, where there are any that do nothing else.
/// </summary>
/// <param name="processes">Processes that answer requests.</param>
/// <param name="workers">The role of each further process; where there are any, the first ones do nothing but answer requests.</param>
public sealed class Cluster(int processes, params string[] workers) : Deployment
{
    private readonly string _database = MongoServer.NewDatabase();
    private readonly RunningServer?[] _servers = new RunningServer?[processes + workers.Length];
    private readonly HttpClient?[] _http = new HttpClient?[processes];
    private int _next;
    private int _nextToKill;

    public override async Task StartAsync(CancellationToken ct)
    {
        var engine = SharedEngine.SettingsOrSkip(_database);
        for (var i = 0; i < _servers.Length; i++)
        {
            if (_servers[i] is { HasExited: false })
            {
                continue;
            }
            KeyValuePair<string, string>[] roles = workers.Length == 0 ? [] : [new("Server:Roles", i < processes ? "api" : workers[i - processes])];
            _servers[i] = await RunningServer.StartAsync(
                Path.Combine(WorkingDirectory, $"data-{i}"), [], [.. Settings, .. roles, .. engine, new("Keys:File:Path", Path.Combine(WorkingDirectory, "keys", "master.key"))], ct);
            if (i < processes)
            {
                _http[i]?.Dispose();
                _http[i] = await Tokens.SignInAsync(_servers[i]!.Base, ClientId, ClientSecret, ct, connections: 128);
            }
        }
    }

    public override async Task KillAsync() =>
        await _servers[workers.Length == 0 ? _nextToKill++ % processes : processes + (_nextToKill++ % workers.Length)]!.DisposeAsync();

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
