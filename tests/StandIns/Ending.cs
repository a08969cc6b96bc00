namespace StandIns;

/// <summary>How a stand-in ends a request, beside carrying it out.</summary>
public abstract record Ending
{
    private Ending()
    {
    }

    /// <summary>Takes the message and says so.</summary>
    public sealed record Taken : Ending;

    /// <summary>Says no, and takes nothing.</summary>
    /// <param name="Status">Of HTTP or SMTP.</param>
    /// <param name="Code">The provider's own.</param>
    public sealed record Refused(int Status, string Code = "", TimeSpan? RetryAfter = null) : Ending;

    /// <summary>Takes the message, and the connection breaks before it can say so.</summary>
    public sealed record TakenUnsaid : Ending;

    /// <summary>The connection breaks before the message was taken.</summary>
    public sealed record Broken : Ending;

    /// <summary>Takes the message and says nothing for as long as the connection stands.</summary>
    public sealed record TakenInSilence : Ending;

    /// <summary>Takes nothing and says nothing for as long as the connection stands.</summary>
    public sealed record LostInSilence : Ending;

    /// <summary>Takes the message, but answers with an error of its own.</summary>
    public sealed record TakenWithError(int Status) : Ending;

    public static Ending Ok { get; } = new Taken();
}
