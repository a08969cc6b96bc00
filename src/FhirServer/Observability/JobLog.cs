using FhirCore.Records;
using FhirStore.Leases;

namespace FhirServer.Observability;

/// <summary>Says in the log which background jobs are this process's.</summary>
internal sealed class JobLog(ILogger<LeasedJobs> logger) : IJobObserver
{
    public void Began(string job) => JobLines.Began(logger, job);

    public void Ended(string job) => JobLines.Ended(logger, job);

    public void Failed(string job, Exception why)
    {
        if (why is StoreUnavailableException or OperationCanceledException)
        {
            JobLines.Waits(logger, job);
        }
        else
        {
            JobLines.Failed(logger, job, Fault.Describe(why));
        }
    }
}

internal static partial class JobLines
{
    [LoggerMessage(40, LogLevel.Information, "The job {Job} is this process's.")]
    public static partial void Began(ILogger logger, string job);

    [LoggerMessage(41, LogLevel.Information, "The job {Job} is no longer this process's.")]
    public static partial void Ended(ILogger logger, string job);

    [LoggerMessage(42, LogLevel.Warning, "The job {Job} waits: the store does not answer.")]
    public static partial void Waits(ILogger logger, string job);

    [LoggerMessage(43, LogLevel.Error, "The job {Job} failed and is begun again: {Fault}")]
    public static partial void Failed(ILogger logger, string job, string fault);
}
