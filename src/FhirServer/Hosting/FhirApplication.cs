using System.Security.Authentication;
using FhirCore.Records;
using FhirServer.Demo;
using FhirServer.Discovery;
using FhirServer.Http;
using FhirServer.Observability;
using FhirServer.Settings;
using FhirStore.Encryption;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace FhirServer.Hosting;

/// <summary>The whole server, composed: the one place that names an adapter. Tests compose it the same way.</summary>
public sealed class FhirApplication : IAsyncDisposable
{
    private readonly WebApplication _web;
    private readonly OpenStore _store;

    private FhirApplication(WebApplication web, OpenStore store)
    {
        _web = web;
        _store = store;
    }

    public IServiceProvider Services => _web.Services;

    /// <exception cref="SettingsException">A setting is wrong.</exception>
    public static Task<FhirApplication> BuildAsync(string[] args)
    {
        ArgumentNullException.ThrowIfNull(args);
        return BuildAsync(args, engine: null);
    }

    /// <param name="engine">A test's own; null opens the one of the settings.</param>
    internal static async Task<FhirApplication> BuildAsync(string[] args, IRecordStore? engine)
    {
        var builder = WebApplication.CreateSlimBuilder([.. args.Where(arg => arg != DemoSwitch)]);
        builder.Configuration.AddSecretFiles();
        var settings = ServerSettings.Read(builder.Configuration);
        builder.Configuration["Server:BaseUrl"] = settings.BaseUrl.AbsoluteUri.TrimEnd('/');
        ConfigureHost(builder, settings);
        var store = await OpenStore.OpenAsync(settings, TimeProvider.System, Notice, CancellationToken.None, engine);
        try
        {
            builder.Services.AddFhirServer(builder.Configuration, settings, store);
            if (args.Contains(DemoSwitch))
            {
                builder.Services.AddDemo(builder.Configuration);
            }
            var web = builder.Build();
            web.UseFhirServer();
            ProcessComposition.WarnOfMissingRoles(web.Logger, settings.Process.Roles, store);
            return new(web, store);
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    public const string DemoSwitch = "--demo";

    /// <summary>Returns once requests are answered; tasks that come after the start (<see cref="IStartupTask"/>) go on in the background.</summary>
    public async Task StartAsync(CancellationToken ct)
    {
        try
        {
            await _web.StartAsync(ct);
        }
        catch
        {
            // What has started already is told to stop, rather than torn down under way.
            await _web.StopAsync(CancellationToken.None);
            throw;
        }
    }

    public Task StopAsync(CancellationToken ct) => _web.StopAsync(ct);

    public Task WaitForShutdownAsync() => _web.WaitForShutdownAsync();

    public async ValueTask DisposeAsync()
    {
        await _web.DisposeAsync();
        await _store.DisposeAsync();
    }

    /// <summary>The engine is opened before there is a logger.</summary>
    private static void Notice(string line) => Console.Error.WriteLine(line);

    private static void ConfigureHost(WebApplicationBuilder builder, ServerSettings settings)
    {
        builder.WebHost.UseUrls(settings.Urls);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = settings.MaxBodyBytes;
            kestrel.Limits.MaxRequestLineSize = 16 << 10;
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 << 10;
            kestrel.ConfigureHttpsDefaults(https => https.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13);
        });
        var sockets = new ListeningSockets();
        builder.WebHost.UseSockets(transport =>
        {
            transport.CreateBoundListenSocket = endpoint => sockets.Add(SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint));
            // No request blocks its thread for long, and each hand-over between threads costs more than most of what a read does.
            transport.UnsafePreferInlineScheduling = true;
        });
        builder.Services.AddSingleton(sockets);
        builder.Services.AddSingleton<IHostLifetime, SignalLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = settings.ShutdownTimeout);
        // The framework's own words about requests would put paths with ids into the log.
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None) // or each request gets an Activity that nobody reads
            .AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Information)
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical) // a failed start is told by EntryPoint, without a stack trace
            .AddFilter("OpenIddict", LogLevel.Warning)
            .AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            });
    }
}
