using System.Globalization;
using StackExchange.Redis;

namespace Cache.Redis;

/// <summary>How Redis is reached, and how long one may wait for it.</summary>
public sealed record RedisCacheOptions
{
    /// <summary>
    /// As StackExchange.Redis reads it: <c>host:port,host:port,password=...,ssl=true</c>; the Sentinels and <c>serviceName=...</c>
    /// for a fail-over group, or some nodes of a Cluster. Its own time-outs and abortConnect are overruled.
    /// </summary>
    public required string Configuration { get; init; }

    /// <summary>Begins every key, so that several servers may share one Redis.</summary>
    public string KeyPrefix { get; init; } = "fhir:";

    /// <summary>A call that has no answer by then is a miss.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>So many failures in a row, and calls are skipped until Redis answers again.</summary>
    public int FailuresToSkip { get; init; } = 3;

    /// <summary>Between two attempts, made in the background, to find out whether Redis answers again.</summary>
    public TimeSpan ProbeInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>A connection that did not come back within this time is given up for a new one.</summary>
    public TimeSpan RenewAfter { get; init; } = TimeSpan.FromSeconds(3);

    /// <returns>Null where <see cref="Configuration"/> can be read; otherwise what is wrong, without quoting it: it may hold a password.</returns>
    public static string? Problem(string configuration)
    {
        const string shape = "is not a connection string such as redis.example.org:6379,password=...,ssl=true";
        try
        {
            var options = ConfigurationOptions.Parse(configuration);
            return options.EndPoints.Count == 0 ? "names no host" : null;
        }
        catch (Exception error) when (error is ArgumentException or FormatException or OverflowException or InvalidOperationException)
        {
            return shape;
        }
    }

    internal ConfigurationOptions ForDriver()
    {
        var options = ConfigurationOptions.Parse(Configuration);
        var milliseconds = (int)Timeout.TotalMilliseconds;
        options.AbortOnConnectFail = false;
        options.BacklogPolicy = BacklogPolicy.FailFast; // a call during an outage is a miss at once
        options.ConnectTimeout = 1000; // nobody waits for it: connections are made in the background
        options.ConnectRetry = 1;
        options.AsyncTimeout = milliseconds;
        options.SyncTimeout = milliseconds;
        options.ReconnectRetryPolicy = new LinearRetry((int)ProbeInterval.TotalMilliseconds);
        options.HeartbeatInterval = TimeSpan.FromMilliseconds(500);
        options.ConfigCheckSeconds = 10;
        options.ClientName ??= string.Create(CultureInfo.InvariantCulture, $"fhir-server-{Environment.ProcessId}");
        options.IncludeDetailInExceptions = false;
        return options;
    }
}
