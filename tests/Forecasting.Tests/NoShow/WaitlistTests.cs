using System.Text.Json;
using CsCheck;
using FhirStore;
using Forecasting.NoShow;
using Forecasting.Serving;

namespace Forecasting.Tests.NoShow;

public sealed class WaitlistTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 7, 8, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Order_AnyWaitlist_NobodyIsPassedByAChanceAlone() => Gen.Select(Gen.Int[1, 10], Gen.Int[0, 60], Gen.Double[0, 1]).Array[0, 12].Sample(people =>
    {
        var waiting = people.Select((one, i) => new Waiting(Entry($"a{i:00}"), one.Item1, Now.AddDays(-one.Item2), one.Item3)).ToList();
        var ordered = WaitlistAnswers.Order(waiting, Now).ToList();

        Assert.Equal(waiting.Count, ordered.Count);
        for (var i = 1; i < ordered.Count; i++)
        {
            var (before, after) = (ordered[i - 1], ordered[i]);
            Assert.True(before.Priority <= after.Priority);
            if (before.Priority == after.Priority)
            {
                var (longer, shorter) = (Math.Floor((Now - before.Since).TotalDays / 7), Math.Floor((Now - after.Since).TotalDays / 7));
                Assert.True(longer > shorter || (longer == shorter && before.Coming >= after.Coming));
            }
        }
    });

    private static Entry Entry(string id) => new(new StoredResource(new("Appointment", id), 1, Now, false, default), default(JsonElement));
}
