namespace Forecasting.Series;

/// <summary>What makes appointments be counted.</summary>
public enum LoadWork
{
    Events,
    Recount,
}

/// <summary>How many appointments this process has looked at, for the metrics.</summary>
public sealed class LoadTally
{
    private long _events;
    private long _recounted;
    private long _recounts;

    public long Of(LoadWork work) => Volatile.Read(ref work == LoadWork.Events ? ref _events : ref _recounted);

    /// <summary>Recounts that came to their end.</summary>
    public long Recounts => Volatile.Read(ref _recounts);

    internal void Count(int appointments, LoadWork work) => Interlocked.Add(ref work == LoadWork.Events ? ref _events : ref _recounted, appointments);

    internal void Recounted() => Interlocked.Increment(ref _recounts);
}
