namespace Events.Kafka.Messages;

/// <summary>Names of the headers: CloudEvents 1.0 in its binary Kafka form, so that common tools can show and route them.</summary>
internal static class HeaderNames
{
    public const string SpecVersion = "ce_specversion";
    public const string Id = "ce_id";
    public const string Source = "ce_source";
    public const string Kind = "ce_type";
    public const string Subject = "ce_subject";
    public const string Time = "ce_time";
    public const string Sequence = "ce_sequence";
    public const string Deleted = "ce_deleted";
    public const string Body = "ce_body";
    public const string Format = "ce_format";

    /// <summary>CloudEvents takes this one from Kafka without its prefix.</summary>
    public const string ContentType = "content-type";

    // Of dead letters only.
    public const string DeadGroup = "ce_deadgroup";
    public const string DeadLane = "ce_deadlane";
    public const string DeadWhy = "ce_deadwhy";
}
