using System.Globalization;
using Auditing.Checking;
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
    private const string AuditOption = "--audit-at-least";

    public async Task<int> RunAsync(ReadOnlyMemory<string> args, CancellationToken ct)
    {
        var (atLeast, auditAtLeast, rest) = Options(args.ToArray());
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
        var isWhole = await VerifyAuditAsync(provider.GetRequiredService<ChainVerifier>(), output, auditAtLeast, ct);
        return report.IsGood && !isOld && isWhole ? 0 : 1;
    }

    /// <summary>Whether the audit trail is whole, and as long as it was known to be.</summary>
    private static async Task<bool> VerifyAuditAsync(ChainVerifier verifier, TextWriter output, long atLeast, CancellationToken ct)
    {
        var report = await verifier.RunAsync(line => output.WriteLine($"audit: {line}"), ct);
        var events = report.Entries + report.Removed;
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"Audit trail: {report.Entries:#,0} events in {report.Chains:#,0} chains checked, {report.Removed:#,0} removed when their time was over. It has come to {events}."));
        var isShort = events < atLeast;
        if (isShort)
        {
            await output.WriteLineAsync($"The audit trail ends before {atLeast}: events are missing at its end.");
        }
        await output.WriteLineAsync(report.IsGood ? "The audit trail is whole." : $"The audit trail is damaged in {report.Damages} places.");
        return report.IsGood && !isShort;
    }

    internal static string Line(Damage damage) =>
        $"{Name(damage.Kind)}: {(damage.Key is { } key ? damage.Version > 0 ? $"{key} version {damage.Version}: " : $"{key}: " : "")}{damage.What}";

    private static string Name(DamageKind kind) => kind switch
    {
        DamageKind.WrongIndex => "wrong index",
        DamageKind.RolledBack => "rolled back",
        _ => kind.ToString().ToLowerInvariant(),
    };

    private static (long AtLeast, long AuditAtLeast, string[] Settings) Options(string[] args)
    {
        var (atLeast, auditAtLeast) = (0L, 0L);
        var rest = new List<string>();
        foreach (var arg in args)
        {
            if (arg.StartsWith(LogEndOption + "=", StringComparison.Ordinal))
            {
                atLeast = Number(arg[(LogEndOption.Length + 1)..]);
            }
            else if (arg.StartsWith(AuditOption + "=", StringComparison.Ordinal))
            {
                auditAtLeast = Number(arg[(AuditOption.Length + 1)..]);
            }
            else
            {
                rest.Add(arg);
            }
        }
        return (atLeast, auditAtLeast, [.. rest]);
    }

    private static long Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        ? number
        : throw new CommandException($"Usage: verify [{LogEndOption}=NUMBER] [{AuditOption}=NUMBER] [--Storage:DataDirectory=…].");
}
