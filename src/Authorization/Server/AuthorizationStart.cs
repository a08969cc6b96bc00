using Authorization.Clients;
using Authorization.Keys;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Authorization.Server;

/// <summary>Before the first request: the keys and the clients of the settings. Once listening: that nothing listens where it must not.</summary>
internal sealed class AuthorizationStart(ServerKeys keys, ClientRegistry clients, IOptions<AuthOptions> options, IServiceProvider services) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await keys.LoadAsync(cancellationToken);
        await clients.SynchroniseAsync(options.Value.Clients, cancellationToken);
    }

    // The composition root checks the addresses it knows of; this sees those that are really bound, however they were set.
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        if (options.Value.AllowAnonymousOnLoopback
            && services.GetService<IServer>()?.Features.Get<IServerAddressesFeature>() is { } bound)
        {
            LoopbackOnly.Check(bound.Addresses);
        }
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
