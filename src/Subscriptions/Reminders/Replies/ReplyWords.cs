using System.Collections.Frozen;
using Subscriptions.Reminders.Texts;

namespace Subscriptions.Reminders.Replies;

/// <summary>What an SMS asks for.</summary>
public enum ReplyCommand
{
    /// <summary>Nothing that we know.</summary>
    None,
    Confirm,
    Cancel,
    /// <summary>No more messages to this number.</summary>
    Stop,
    /// <summary>Messages again.</summary>
    Start,
    Help,
}

/// <summary>
/// Reads replies. The words for stopping are the carriers', https://www.twilio.com/docs/messaging/guides/advanced-opt-out: they stop also where
/// somebody means to cancel a visit by CANCEL, for that is what Twilio does with them.
/// </summary>
internal sealed class ReplyWords
{
    private static readonly string[] Stop = ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "СТОП"];
    private static readonly string[] Start = ["START", "YES", "UNSTOP", "СТАРТ"];
    private static readonly string[] Help = ["HELP", "INFO", "ПОМОЩЬ", "?"];

    private readonly FrozenDictionary<string, ReplyCommand> _commands;

    public ReplyWords(LanguageSet languages)
    {
        var commands = new Dictionary<string, ReplyCommand>(StringComparer.Ordinal);
        Add(Stop, ReplyCommand.Stop);
        Add(Start, ReplyCommand.Start);
        Add(Help, ReplyCommand.Help);
        foreach (var language in languages.All)
        {
            Add(language.Words("words.confirm"), ReplyCommand.Confirm);
            Add(language.Words("words.cancel"), ReplyCommand.Cancel);
        }
        _commands = commands.ToFrozenDictionary(StringComparer.Ordinal);

        void Add(IEnumerable<string> words, ReplyCommand command)
        {
            foreach (var word in words)
            {
                commands.TryAdd(word.ToUpperInvariant(), command);
            }
        }
    }

    /// <summary>One word, whatever stands around it: <c> c. </c> is C; a sentence is no command.</summary>
    public ReplyCommand Read(string? body) =>
        _commands.GetValueOrDefault((body ?? "").Trim().Trim('.', '!', ',', '"', '\'', '«', '»', '(', ')', ' ', '\u00a0').ToUpperInvariant());
}
