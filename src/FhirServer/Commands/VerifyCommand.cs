using System.Globalization;
using FhirCore.Records;
using FhirServer.Backup;
using FhirServer.Hosting;
using FhirStore.Checking;
using FhirStore.Indexing;

namespace FhirServer.Commands;

/// <summary><c>verify</c>: walks the whole store and says which rows are damaged. The keys it prints are ids of resources: treat its output as patient data.</summary>
internal sealed class VerifyCommand : ICommand
{
    private const string LogEndOption = "--log-end-at-least";

    public async Task<int> RunAsync(ReadOnlyMemory<string> args, CancellationToken ct)
    {
        var (atLeast, rest) = Options(args.ToArray());
        var (configuration, settings) = CommandSettings.Open(rest);
        if (configuration["Storage:Provider"] is null or StoreName.RocksDb && !Directory.Exists(settings.RecordsDirectory))
        {
            throw new CommandException($"Storage:DataDirectory: there is no database in {settings.DataDirectory}.");
        }
        await using var store = await OpenStore.OpenAsync(settings, TimeProvider.System, Console.Error.WriteLine, ct);
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddFhirServer(configuration, settings, store);
        await using var provider = services.BuildServiceProvider();
        var verifier = new StoreVerifier(store.Records.Inner, store.Keys.Cipher, provider.GetRequiredService<ResourceIndexer>());
        var output = Console.Out;
        var progress = new RowProgress(output, terminal: !Console.IsOutputRedirected, TimeProvider.System);
        var report = await verifier.RunAsync(
            damage =>
            {
                progress.End();
                output.WriteLine(Line(damage));
            },
            (rows, about) => progress.Tell("Checking", rows, about),
            ct);
        progress.End();
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"{report.Changes:#,0} versions and {report.Records:#,0} current records checked, {report.Unsealed:#,0} of them marks that cannot be. The log ends at {report.LogEnd}."));
        var isOld = report.LogEnd < atLeast;
        if (isOld)
        {
            await output.WriteLineAsync($"The log ends before {atLeast}: the store as a whole is older than it was.");
        }
        await output.WriteLineAsync(report.IsGood ? "No damage found." : "Damage found: " + string.Join(", ", report.Damages.Select(d => $"{d.Value} {Name(d.Key)}")) + ".");
        return report.IsGood && !isOld ? 0 : 1;
    }

    internal static string Line(Damage damage) =>
        $"{Name(damage.Kind)}: {(damage.Key is { } key ? damage.Version > 0 ? $"{key} version {damage.Version}: " : $"{key}: " : "")}{damage.What}";

    private static string Name(DamageKind kind) => kind switch
    {
        DamageKind.WrongIndex => "wrong index",
        DamageKind.RolledBack => "rolled back",
        _ => kind.ToString().ToLowerInvariant(),
    };

    private static (long AtLeast, string[] Settings) Options(string[] args)
    {
        var atLeast = 0L;
        var rest = new List<string>();
        foreach (var arg in args)
        {
            if (!arg.StartsWith(LogEndOption + "=", StringComparison.Ordinal))
            {
                rest.Add(arg);
            }
            else if (!long.TryParse(arg.AsSpan(LogEndOption.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out atLeast))
            {
                throw new CommandException($"Usage: verify [{LogEndOption}=NUMBER] [--Storage:DataDirectory=…].");
            }
        }
        return (atLeast, [.. rest]);
    }
}
