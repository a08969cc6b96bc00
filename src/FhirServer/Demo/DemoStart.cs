using System.Buffers.Text;
using System.Diagnostics;
using System.Security.Cryptography;
using Authorization.Accounts;
using Authorization.Clients;
using Authorization.Server;
using FhirServer.Hosting;
using FhirStore.Leases;

namespace FhirServer.Demo;

/// <summary><c>--demo</c>: fills the store and says, once, how to sign in.</summary>
internal sealed class DemoStart(
    DemoSeeder seeder, DemoUsers users, PublicAddresses addresses, ClientRegistry clients, LeasedJobs jobs, DemoOptions options, TextWriter output, TimeProvider clock) : IStartupTask
{
    private const string ClientId = "demo";
    private const string Scope = "system/*.cruds";

    /// <summary>One process after another: those that come later find everything there, and the one secret is the one printed.</summary>
    public Task RunAsync(CancellationToken ct) => jobs.RunOnceAsync("demo", FillAsync, ct);

    private async Task FillAsync(CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        var written = await seeder.SeedAsync(options.Seed, output, ct);
        await SignInAsync(ct);
        await ShowUsersAsync(ct);
        await output.WriteLineAsync(written == 0
            ? "Demo: everything was there already. Ready."
            : $"Demo: {written} resources in {clock.GetElapsedTime(began).TotalSeconds.ToString("0.0", System.Globalization.CultureInfo.InvariantCulture)} s. Ready.");
    }

    private async Task SignInAsync(CancellationToken ct)
    {
        if (!options.NewSecret && await clients.ExistsAsync(ClientId, ct))
        {
            await output.WriteLineAsync("Demo: the client's secret was printed at the first start. For a new one start with --demo --Demo:NewSecret=true");
            return;
        }
        var secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(24));
        if (await clients.RegisterAsync(ClientId, secret, Scope, ct) is { } refused)
        {
            throw new UnreachableException($"The demo client was refused: {refused.Issues[0].Diagnostics}");
        }
        await output.WriteLineAsync($"Demo: a client with the scope {Scope}. Its secret is shown this once:\n\n  export CLIENT_ID={ClientId} CLIENT_SECRET={secret}\n");
    }

    private async Task ShowUsersAsync(CancellationToken ct)
    {
        var made = await users.MakeAsync(options.Seed, options.NewSecret, ct);
        if (made.Count > 0)
        {
            await output.WriteLineAsync($"Demo: people who sign in at {addresses.Issuer}/sign-in. Their passwords are shown this once:\n");
            foreach (var (userName, password, what) in made)
            {
                await output.WriteLineAsync($"  {userName,-26} {password}   ({what})");
            }
            await output.WriteLineAsync();
        }
    }
}

internal static class DemoServices
{
    public static void AddDemo(this IServiceCollection services, IConfiguration configuration)
    {
        var options = DemoOptions.Read(configuration);
        services.AddSingleton<DemoSeeder>();
        if (options.HistoryWeeks > 0)
        {
            services.AddHostedService(provider => ActivatorUtilities.CreateInstance<DemoHistoryWork>(provider, options, Console.Out));
        }
        services.AddSingleton<DemoUsers>();
        if (!services.Any(service => service.ServiceType == typeof(ICodeSender)))
        {
            services.AddSingleton<ICodeSender>(new ConsoleCodes(Console.Out));
        }
        services.AddSingleton<IStartupTask>(provider => ActivatorUtilities.CreateInstance<DemoStart>(provider, options, Console.Out));
    }
}
