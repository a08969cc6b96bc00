using FhirCore.Pacing;
using Microsoft.Extensions.Time.Testing;

namespace FhirCore.Tests;

public sealed class RequestLoadTests
{
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));
    private TimeSpan _spent = TimeSpan.FromHours(5); // before anybody looked

    private RequestLoad Make() => new(() => _spent, _clock);

    /// <summary>Sixty-four that came together and went together have been there all the while, whenever one looks.</summary>
    [Fact]
    public void RequestsThatComeAndGoTogether_CountWithTheirTime()
    {
        var load = Make();
        for (var i = 0; i < 5; i++)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(40));
            _spent += 64 * TimeSpan.FromMilliseconds(30); // and ten milliseconds with none
        }

        Assert.Equal(48, load.AtOnce, 6);
    }

    [Fact]
    public void Average_IsOfTheLastTenthOfASecond()
    {
        var load = Make();
        _clock.Advance(TimeSpan.FromSeconds(1));
        _spent += TimeSpan.FromSeconds(20);
        Assert.Equal(20, load.AtOnce, 6);
        _clock.Advance(TimeSpan.FromMilliseconds(50));
        Assert.Equal(20, load.AtOnce, 6); // too short a time to tell
        _clock.Advance(TimeSpan.FromMilliseconds(50));
        Assert.Equal(0, load.AtOnce);
    }
}
