using Authorization.Endpoints;
using Microsoft.Extensions.Time.Testing;

namespace Authorization.Tests.Endpoints;

public sealed class LoginThrottleTests
{
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero));

    [Fact]
    public void TenthFailure_ClosesTheDoor_UntilTheMinuteIsOver()
    {
        var throttle = new LoginThrottle(_clock);
        Fail(throttle, 9);
        Assert.Null(throttle.WaitFor("ehr", "10.0.0.1"));
        _clock.Advance(TimeSpan.FromSeconds(20));
        Fail(throttle, 1);

        Assert.Equal(TimeSpan.FromSeconds(40), throttle.WaitFor("ehr", "10.0.0.1"));
        _clock.Advance(TimeSpan.FromSeconds(40));
        Assert.Null(throttle.WaitFor("ehr", "10.0.0.1"));
        Fail(throttle, 1);
        Assert.Null(throttle.WaitFor("ehr", "10.0.0.1")); // a new minute counts from one
    }

    [Fact]
    public void OtherAddressesAndClients_AreNotHeldUp()
    {
        var throttle = new LoginThrottle(_clock);
        Fail(throttle, 50);

        Assert.NotNull(throttle.WaitFor("ehr", "10.0.0.1"));
        Assert.Null(throttle.WaitFor("ehr", "10.0.0.2"));
        Assert.Null(throttle.WaitFor("portal", "10.0.0.1"));
    }

    [Fact]
    public void Success_ForgetsTheFailures()
    {
        var throttle = new LoginThrottle(_clock);
        Fail(throttle, 9);
        throttle.Succeeded("ehr", "10.0.0.1");
        Fail(throttle, 9);

        Assert.Null(throttle.WaitFor("ehr", "10.0.0.1"));
    }

    [Fact]
    public void Flood_OfInventedIds_StaysBounded()
    {
        var throttle = new LoginThrottle(_clock);
        for (var i = 0; i < 50_000; i++)
        {
            throttle.Failed($"invented-{i}", "10.0.0.1");
        }
        for (var i = 0; i < 20; i++)
        {
            throttle.Failed(new string('a', 10_000), "10.0.0.1");
        }

        Assert.InRange(throttle.Count, 1, 10_000);
        Assert.Null(throttle.WaitFor(new string('a', 10_000), "10.0.0.1"));
    }

    private static void Fail(LoginThrottle throttle, int times)
    {
        for (var i = 0; i < times; i++)
        {
            throttle.Failed("ehr", "10.0.0.1");
        }
    }
}
