using Authorization.Access;
using CsCheck;
using FhirServer.Http;
using FhirServer.Tests.Access;
using Microsoft.Extensions.Time.Testing;

namespace FhirServer.Tests;

/// <summary>What one caller's requests may cost: records that the store handles for them, whatever the number of requests.</summary>
public sealed class BudgetTests(BudgetServer server) : IClassFixture<BudgetServer>
{
    /// <summary>So many that the third search for all of them leaves a debt of many seconds: what is then refused is so on a slow machine, too.</summary>
    private const int Patients = 150;

    [Fact]
    public void Budget_IsSpent_ComesBackBitByBit_AndTheDebtIsNeverMoreThanAMinutesWorth()
    {
        var clock = new FakeTimeProvider();
        var budgets = new Budgets(60, clock);
        Assert.Null(budgets.Wait("anna"));
        budgets.Charge("anna", 59);
        Assert.Null(budgets.Wait("anna"));
        budgets.Charge("anna", 1);
        Assert.Equal(TimeSpan.FromSeconds(1), budgets.Wait("anna"));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(budgets.Wait("anna"));
        budgets.Charge("anna", 1_000_000);
        Assert.Equal(TimeSpan.FromSeconds(61), budgets.Wait("anna"));
        Assert.Null(budgets.Wait("bert"));
        clock.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(TimeSpan.FromSeconds(1), budgets.Wait("anna"));
        clock.Advance(TimeSpan.FromDays(1));
        budgets.Charge("anna", 60); // no more was saved up than a minute's worth
        Assert.Equal(TimeSpan.FromSeconds(1), budgets.Wait("anna"));
    }

    /// <summary>Over any time nobody is charged more than that time gives, one budget saved up, one owed, and one request that began in time.</summary>
    [Fact]
    public void Budget_OverAnyTime_LetsNoMoreThroughThanItSays() => Gen.Select(Gen.Int[0, 5_000], Gen.Int[0, 50]).Array[1, 200].Sample(steps =>
    {
        var clock = new FakeTimeProvider();
        var budgets = new Budgets(100, clock);
        var (spent, paid, longest) = (0L, 0.0, 0);
        foreach (var (milliseconds, cost) in steps)
        {
            clock.Advance(TimeSpan.FromMilliseconds(milliseconds));
            paid += milliseconds / 600.0; // 100 a minute
            if (budgets.Wait("anna") is { } wait)
            {
                Assert.InRange(wait, TimeSpan.Zero, TimeSpan.FromSeconds(121));
                continue;
            }
            budgets.Charge("anna", cost);
            spent += cost;
            longest = Math.Max(longest, cost);
        }
        Assert.True(spent <= paid + 100 + longest + 1, $"{spent} of {paid}");
    });

    [Fact]
    public void Budgets_OfThoseWhoAreGone_AreForgotten_AndOfDebtorsAreNot()
    {
        var clock = new FakeTimeProvider();
        var budgets = new Budgets(10, clock);
        budgets.Charge("debtor", 20);
        for (var i = 0; i < 5_000; i++)
        {
            budgets.Charge($"someone-{i}", 1);
        }
        Assert.NotNull(budgets.Wait("debtor"));
        clock.Advance(TimeSpan.FromMinutes(1.5));
        for (var i = 0; i < 2_000; i++)
        {
            budgets.Charge($"other-{i}", 1);
        }
        Assert.InRange(budgets.Count, 2_000, 3_100);
    }

    [Fact]
    public async Task Searches_ThatLookAtMuch_AreRefusedSooner_ThanReads()
    {
        var house = await FurnishAsync();
        using var anna = await SignInAsync(house);
        using var bert = await SignInAsync(house);
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal(200, (await anna.GetAsync($"Patient/{house.Own}")).Status);
        }

        var (refused, asked) = (default(Answer), 0);
        while (refused is null && asked++ < 100)
        {
            var answer = await bert.GetAsync($"Patient?_count={Patients}");
            refused = answer.Status == 200 ? null : answer;
        }
        Assert.InRange(asked, 2, 20);
        Assert.Equal((429, "throttled"), (refused!.Status, (string?)refused.Issues[0]["code"]));
        Assert.InRange(refused.Response.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(2));

        // Whatever they ask now, nothing is done; and nobody else is affected.
        Assert.Equal(429, (await bert.GetAsync($"Patient/{house.Own}")).Status);
        Assert.Equal(429, (await bert.PutAsync($"Patient/{house.Own}", $$"""{"resourceType":"Patient","id":"{{house.Own}}"}""")).Status);
        Assert.Equal(429, (await bert.PostAsync("Appointment/$book", """{"resourceType":"Parameters"}""")).Status);
        Assert.Equal(200, (await anna.GetAsync($"Patient/{house.Own}")).Status);
        Assert.Single((await server.Client.GetAsync($"Patient/{house.Own}/_history")).Entries);
        for (var i = 0; i < 30; i++)
        {
            Assert.Equal(200, (await server.Client.GetAsync($"Patient?_count={Patients}")).Status); // a client that acts for itself has no budget here
        }
    }

    [Fact]
    public async Task EntriesOfABundle_PayForThoseBeforeThem()
    {
        var house = await FurnishAsync();
        using var anna = await SignInAsync(house);
        var batch = await anna.PostAsync("", BundleTests.Bundle("batch", [.. Enumerable.Range(0, 100).Select(_ => BundleTests.Request("GET", $"Patient?_count={Patients}"))]));

        Assert.Equal(200, batch.Status);
        var statuses = batch.Entries.Select(entry => ((string)entry["response"]!["status"]!)[..3]).ToList();
        Assert.Equal("200", statuses[0]);
        Assert.Equal("429", statuses[^1]);
        Assert.Equal(statuses.OrderBy(status => status, StringComparer.Ordinal), statuses);
    }

    [Fact]
    public async Task Writes_CostMoreThanReads()
    {
        var house = await FurnishAsync();
        using var anna = await SignInAsync(house);
        var refused = 0;
        for (var i = 0; i < 200 && refused == 0; i++)
        {
            refused = (await anna.PostAsync("Observation", $$$"""{"resourceType":"Observation","status":"final","code":{"text":"{{{i}}}"},"subject":{"reference":"Patient/{{{house.Own}}}"}}""")).Status == 201 ? 0 : i;
        }
        Assert.InRange(refused, 5, 150); // 40, and a few more for the time it takes
    }

    private async Task<AccessHouse> FurnishAsync()
    {
        var house = await AccessHouse.OpenAsync(server);
        var patients = Enumerable.Range(0, Patients).Select(i => BundleTests.Put($"Patient/{house.Run}-n{i}", $$"""{"resourceType":"Patient","id":"{{house.Run}}-n{{i}}"}"""));
        Assert.Equal(200, (await server.Client.PostAsync("", BundleTests.Bundle("transaction", [.. patients]))).Status);
        return house;
    }

    private static Task<FhirClient> SignInAsync(AccessHouse house) => house.SignInAsync("user/*.cruds", $"Practitioner/{house.Run}-dr", null, new HeldRole(Role.Practitioner));
}

/// <summary>A server with small budgets.</summary>
public sealed class BudgetServer : ServerFixture
{
    public const int Records = 400;

    protected override string[] Extra => [$"--Limits:RecordsPerMinutePerUser={Records}"];
}
