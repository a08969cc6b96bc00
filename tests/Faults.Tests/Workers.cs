using Conformance.Tests;
using Tests.Shared;

namespace Faults.Tests;

/// <summary>One process that answers requests, and several that do the work behind it, of which each is killed in turn; on one database.</summary>
public sealed class Workers(int processes, string roles, params (string Key, string Value)[] more) : Deployment
{
    private readonly string _database = MongoServer.NewDatabase();
    private readonly RunningServer?[] _workers = new RunningServer?[processes];
    private RunningServer? _api;
    private HttpClient? _http;
    private int _nextToKill;

    public override async Task StartAsync(CancellationToken ct)
    {
        if (_api is null)
        {
            _api = await StartAsync("api", "api", ct);
            _http = await Tokens.SignInAsync(_api.Base, ClientId, ClientSecret, ct, connections: 128);
        }
        for (var i = 0; i < processes; i++)
        {
            if (_workers[i] is null or { HasExited: true })
            {
                _workers[i] = await StartAsync($"worker-{i}", roles, ct);
            }
        }
    }

    public override async Task KillAsync() => await _workers[_nextToKill++ % processes]!.DisposeAsync();

    protected override HttpClient Next() => _http!;

    private Task<RunningServer> StartAsync(string name, string roles, CancellationToken ct) => RunningServer.StartAsync(
        Path.Combine(WorkingDirectory, name), [],
        [
            .. Settings, .. SharedEngine.SettingsOrSkip(_database), new("Keys:File:Path", Path.Combine(WorkingDirectory, "keys", "master.key")),
            new("Server:Roles", roles), new("Server:LeaseTime", "00:00:03"), .. more.Select(setting => new KeyValuePair<string, string>(setting.Key, setting.Value)),
        ], ct);

    public override async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        foreach (var server in _workers.Append(_api))
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
