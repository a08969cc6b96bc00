using FhirServer.Backup;

namespace FhirServer.Commands;

/// <summary>One command of the executable, such as <c>FhirServer backup DIR</c>.</summary>
internal interface ICommand
{
    /// <param name="args">What stands after the command's name.</param>
    /// <returns>Exit code of the process.</returns>
    Task<int> RunAsync(ReadOnlyMemory<string> args, CancellationToken ct);
}

/// <summary>A command cannot be carried out; the message is for whoever typed it.</summary>
internal sealed class CommandException(string message) : Exception(message);

/// <summary>The commands by name. Without one the executable serves.</summary>
internal static class CommandLine
{
    public static ICommand? Find(string[] args) => args is [] ? null : args[0] switch
    {
        "backup" => new BackupCommand(),
        "restore" => new RestoreCommand(),
        "import" => new ImportCommand(),
        "copy" => new CopyCommand(),
        "verify" => new VerifyCommand(),
        "audit-export" => new AuditExportCommand(),
        "health" => new HealthCommand(),
        ['-', ..] or ['/', ..] => null,
        var text when text.Contains('=', StringComparison.Ordinal) => null, // key=value: a setting
        var unknown => throw new CommandException($"There is no command '{unknown}'. Commands: backup DIR, restore DIR, import PATH…, copy --from STORE --to STORE, verify, audit-export, health; without a command the server starts."),
    };
}
