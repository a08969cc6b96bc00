using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Authorization.Accounts;

/// <summary>
/// Sends messages beside the requests that cause them, so that how long an answer takes does not tell whether one was sent. What is not
/// sent when the process ends is lost: whoever waits for a code asks for another.
/// </summary>
public sealed partial class CodeDelivery(IEnumerable<ICodeSender> senders, TimeProvider clock, ILogger<CodeDelivery> logger) : BackgroundService
{
    private const int MostWaiting = 1000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Dictionary<ContactKind, ICodeSender> _senders = senders.GroupBy(sender => sender.Kind).ToDictionary(kind => kind.Key, kind => kind.Last());
    private readonly Channel<(ContactKind Kind, CodeMessage Message)> _waiting = Channel.CreateBounded<(ContactKind, CodeMessage)>(MostWaiting);

    public bool HasAny => _senders.Count > 0;

    public bool Has(ContactKind kind) => _senders.ContainsKey(kind);

    /// <summary>Does not wait. A message of a kind without a channel, or more than wait already, is dropped and said in the log.</summary>
    public void Send(Contact to, string subject, string text)
    {
        ArgumentNullException.ThrowIfNull(to);
        if (!Has(to.Kind) || !_waiting.Writer.TryWrite((to.Kind, new(to.Value, subject, text))))
        {
            LogDropped(logger, to.Kind);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var (kind, message) in _waiting.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                using var patience = new CancellationTokenSource(Patience, clock);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stoppingToken);
                await _senders[kind].SendAsync(message, either.Token);
            }
            catch (Exception trouble) when (!stoppingToken.IsCancellationRequested)
            {
                LogTrouble(logger, kind, trouble.GetType().Name); // its message may name the address
            }
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "A message by {Kind} was dropped: there is no channel for it, or too many are waiting.")]
    private static partial void LogDropped(ILogger logger, ContactKind kind);

    [LoggerMessage(2, LogLevel.Warning, "A message by {Kind} could not be sent: {Trouble}.")]
    private static partial void LogTrouble(ILogger logger, ContactKind kind, string trouble);
}
