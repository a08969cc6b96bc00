namespace FhirCore.Pacing;

/// <summary>
/// How many requests a process works on at once, on average over a tenth of a second or more. Requests that wait for the same write of the disk
/// come and go together: how many there are at one moment says little.
/// </summary>
/// <param name="spent">Time of all requests so far, added up; by Little's law its growth in a time is how many there were.</param>
public sealed class RequestLoad(Func<TimeSpan> spent, TimeProvider clock)
{
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private long _looked = clock.GetTimestamp();
    private TimeSpan _before = spent();
    private double _atOnce;

    public double AtOnce
    {
        get
        {
            lock (_lock)
            {
                var passed = clock.GetElapsedTime(_looked);
                if (passed >= Window)
                {
                    var now = spent();
                    (_atOnce, _before, _looked) = ((now - _before) / passed, now, clock.GetTimestamp());
                }
                return _atOnce;
            }
        }
    }
}
