using Authorization.Access;
using FhirStore.Sealed;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Authorization.Accounts;

/// <summary>Before the first request: the first administrator. And says which channels codes go by.</summary>
internal sealed partial class AccountStart(
    SealedRecords<Account> accounts, AccountIndex index, AccountRegistry registry, CodeDelivery delivery, IOptions<AccountOptions> options, ILogger<AccountStart> logger) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var kind in Enum.GetValues<ContactKind>().Where(kind => !delivery.Has(kind)))
        {
            LogOff(logger, kind);
        }
        var first = options.Value.FirstAdministrator;
        if (first.UserName.Length == 0 || await accounts.AnyAsync(index.Role(Role.Administrator), cancellationToken))
        {
            return;
        }
        var created = await registry.CreateAsync(
            new(first.UserName) { Password = first.Password, Roles = [new(Role.Administrator)] }, cancellationToken);
        if (created.TryGet(out var id, out var refusal))
        {
            LogMade(logger, id);
        }
        else if (!await accounts.AnyAsync(index.Role(Role.Administrator), cancellationToken)) // else another process was faster
        {
            throw new InvalidOperationException($"{AccountOptions.Section}:FirstAdministrator: {refusal.Issues[0].Diagnostics}");
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(1, LogLevel.Information, "Codes by {Kind} are off: no channel has been set up for them.")]
    private static partial void LogOff(ILogger logger, ContactKind kind);

    [LoggerMessage(2, LogLevel.Information, "Made the first administrator's account {AccountId}.")]
    private static partial void LogMade(ILogger logger, string accountId);
}
