namespace Auditing.Trail;

/// <summary>Told how the writer fares, for logs and metrics. Nothing it is told holds what an entry says.</summary>
public interface IAuditObserver
{
    void Stored(int entries, int bytes, TimeSpan took);

    /// <summary>Events could not be stored; they are kept and tried again.</summary>
    void Failed(Exception why);

    void Recovered();

    /// <summary>The process ended before the store came back.</summary>
    void Lost(int entries);
}
