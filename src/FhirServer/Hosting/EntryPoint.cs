using FhirCore.Records;
using FhirServer.Commands;
using FhirServer.Settings;
using FhirStore.Encryption;
using Microsoft.Extensions.Options;

namespace FhirServer.Hosting;

/// <summary>What the process does, and what it says where it cannot: one clear line instead of a stack trace.</summary>
internal static class EntryPoint
{
    private const int Failed = 1;

    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            if (CommandLine.Find(args) is { } command)
            {
                return await command.RunAsync(args.AsMemory(1), CancellationToken.None);
            }
            await using var application = await FhirApplication.BuildAsync(args);
            await application.StartAsync(CancellationToken.None);
            await application.WaitForShutdownAsync();
            return 0;
        }
        catch (Exception error) when (Explain(error) is { } explanation)
        {
            await Console.Error.WriteLineAsync(explanation);
            return Failed;
        }
    }

    /// <returns>Null where it is a fault of ours, which keeps its stack trace.</returns>
    private static string? Explain(Exception error) => error switch
    {
        SettingsException settings => "The settings do not allow a start.\n  " + string.Join("\n  ", settings.Problems),
        OptionsValidationException options => "The settings do not allow a start.\n  " + string.Join("\n  ", options.Failures),
        KeyFileException or WrongRootKeyException or StoreUnavailableException or StoreCorruptException or CommandException => error.Message,
        IOException { InnerException: Microsoft.AspNetCore.Connections.AddressInUseException } => $"urls: {error.Message}",
        // The binder of settings and the check of what is really bound name their key themselves.
        InvalidOperationException { Message: var message } when message.StartsWith("Failed to convert configuration value", StringComparison.Ordinal)
            || message.StartsWith("Auth:", StringComparison.Ordinal) => message,
        UnauthorizedAccessException => $"Storage:DataDirectory: {error.Message}",
        _ => null,
    };
}
