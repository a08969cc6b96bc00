using System.Text.Json.Nodes;
using FhirCore;
using Forecasting.NoShow;
using Forecasting.Serving;
using Forecasting.Tests.Support;

namespace Forecasting.Tests.NoShow;

/// <summary>From appointments in the store to a risk, and to what is made of it.</summary>
public sealed class RiskTests(TrainedHouse trained) : IClassFixture<TrainedHouse>
{
    private static readonly ResourceKey Ahead = new("Appointment", "ahead");

    [Fact]
    public async Task Risk_BeforeThereIsEnoughHistory_IsRefusedWithWhatIsMissing()
    {
        using var house = await House.OpenAsync();
        await house.PutAsync(Visit("ahead", "2030-01-09T09:00:00Z", "booked", "x"));
        var never = await house.InvokeAsync(ForecastingOperation.NoShowRisk, "Appointment", "ahead", AnswerForm.Fhir);
        await house.PutAsync(Visit("a", "2029-12-03T09:00:00Z", "noshow", "x"));
        Assert.False((await house.Training.TrainAsync(default))!.IsServing);
        var refused = await house.InvokeAsync(ForecastingOperation.NoShowRisk, "Appointment", "ahead", AnswerForm.Fhir);

        Assert.Equal("There is no estimate of the risk of missed visits yet: nothing has been learned so far.", never.Failure!.Issues[0].Diagnostics);
        Assert.Equal(
            "There is no estimate of the risk of missed visits yet. It takes 1000 visits of which it is known whether the patient came, 100 of them missed; there are 1 and 1.",
            refused.Failure!.Issues[0].Diagnostics);
        Assert.Null(await house.Risk.OfAsync(Ahead, default));
    }

    [Fact]
    public async Task Risk_Learned_TellsForgetfulFromFaithfulPatientsAndWhy()
    {
        var house = trained.House;
        var forgetful = await RiskAsync(house, "never-comes");
        var faithful = await RiskAsync(house, "always-comes");

        Assert.True(forgetful.Chance > 0.4 && forgetful.IsHigh, $"{forgetful.Chance}");
        Assert.True(faithful.Chance < 0.1 && !faithful.IsHigh, $"{faithful.Chance}");
        Assert.Equal(("attendance", "raises"), forgetful.Factors[0]);
        Assert.Equal(("attendance", "lowers"), faithful.Factors[0]);
    }

    [Theory]
    [InlineData("never-comes", "fulfilled", "2030-01-09T09:00:00Z")] // decided
    [InlineData("never-comes", "booked", "2030-01-01T09:00:00Z")] // behind
    [InlineData(null, "booked", "2030-01-09T09:00:00Z")] // nobody's
    public async Task Risk_OfWhatIsNoVisitAhead_IsRefused(string? patient, string status, string start)
    {
        var house = trained.House;
        await house.PutAsync(Visit("ahead", start, status, patient));

        var refused = await house.InvokeAsync(ForecastingOperation.NoShowRisk, "Appointment", "ahead", AnswerForm.Fhir);

        Assert.Equal("The risk is of a booked appointment that lies ahead and names a patient.", refused.Failure!.Issues[0].Diagnostics);
        Assert.Null(await house.Risk.OfAsync(Ahead, default));
    }

    [Fact]
    public async Task Overbooking_OfASessionOfForgetfulPatients_TakesMoreThanOfFaithfulOnes()
    {
        var house = trained.House;
        await house.PutAsync("""{"resourceType":"Schedule","id":"s","actor":[{"reference":"Practitioner/p"}]}""");
        for (var slot = 0; slot < 12; slot++)
        {
            // Six in the morning for those who forget, six in the afternoon for those who come.
            var start = new DateTime(2030, 1, 16, slot < 6 ? 8 : 13, 0, 0).AddMinutes(30 * (slot % 6));
            await house.PutAsync($$"""{"resourceType":"Slot","id":"s{{slot}}","schedule":{"reference":"Schedule/s"},"status":"{{(slot % 6 == 5 ? "free" : "busy")}}","start":"{{start:s}}Z","end":"{{start.AddMinutes(30):s}}Z"}""");
            if (slot % 6 != 5)
            {
                await house.PutAsync(Visit($"b{slot}", $"{start:s}Z", "booked", slot < 6 ? "never-comes" : "always-comes", Created(House.Opening.AddDays(9))));
            }
        }

        var answer = await house.InvokeAsync(ForecastingOperation.Overbooking, "Schedule", "s", AnswerForm.Fhir, ("date", "2030-01-16"), ("days", "1"), ("limit", "0.1"));

        var sessions = JsonNode.Parse(answer.Value.Span)!["parameter"]![0]!["part"]!.AsArray().Where(part => (string?)part!["name"] == "session")
            .Select(session => session!["part"]!.AsArray().Where(part => part!["valueInteger"] is not null).ToDictionary(part => (string)part!["name"]!, part => (int)part!["valueInteger"]!)).ToList();
        Assert.Equal(2, sessions.Count);
        Assert.All(sessions, session => Assert.Equal((6, 1, 5), (session["slots"], session["free"], session["booked"])));
        Assert.True(sessions[0]["overbook"] > 0);
        Assert.Equal((1, 0), (sessions[1]["mayBook"], sessions[1]["overbook"]));
    }

    [Fact]
    public async Task Waitlist_ForATime_HoldsThoseWhoCanComeThen()
    {
        var house = trained.House;
        await house.PutAsync("""{"resourceType":"Schedule","id":"s","actor":[{"reference":"Practitioner/p"}]}""");
        await house.PutAsync(Visit("w1", null, "waitlist", "never-comes"));
        await house.PutAsync(Visit("w2", null, "waitlist", "always-comes"));
        await house.PutAsync(Visit("w3", null, "waitlist", "never-comes", ",\"priority\":1"));
        await house.PutAsync(Visit("w4", null, "waitlist", "always-comes", ",\"requestedPeriod\":[{\"start\":\"2030-02-01T00:00:00Z\",\"end\":\"2030-02-28T00:00:00Z\"}]"));
        await house.PutAsync(Visit("w5", "2030-01-09T09:00:00Z", "booked", "always-comes"));

        var answer = await house.InvokeAsync(ForecastingOperation.Waitlist, "Schedule", "s", AnswerForm.Fhir, ("start", "2030-01-09T09:00:00Z"));

        var entries = JsonNode.Parse(answer.Value.Span)!["entry"]!.AsArray();
        Assert.Equal(["w3", "w2", "w1"], entries.Select(entry => (string?)entry!["resource"]!["id"]));
        Assert.True((double)entries[1]!["search"]!["score"]! > (double)entries[2]!["search"]!["score"]!);
    }

    [Fact]
    public async Task Models_OfSixTrainings_AreNumberedAndTheOldestIsGone()
    {
        using var house = await House.OpenAsync();
        for (var number = 1; number <= 6; number++)
        {
            Assert.Equal(number, (await house.Training.TrainAsync(default))!.Number);
        }

        Assert.Null(await house.Records.GetAsync(new(NoShowModels.RecordType, "m00001"), default));
        Assert.NotNull(await house.Records.GetAsync(new(NoShowModels.RecordType, "m00002"), default));
        Assert.NotNull(await house.Records.GetAsync(new(NoShowModels.RecordType, "m00006"), default));
    }

    private static async Task<(double Chance, bool IsHigh, List<(string?, string?)> Factors)> RiskAsync(House house, string patient)
    {
        await house.PutAsync(Visit("ahead", "2030-01-09T09:00:00Z", "booked", patient, Created(House.Opening.AddDays(2))));
        var answer = await house.InvokeAsync(ForecastingOperation.NoShowRisk, "Appointment", "ahead", AnswerForm.Fhir);
        var estimate = (await house.Risk.OfAsync(Ahead, default))!.Value;
        var parts = JsonNode.Parse(answer.Value.Span)!["parameter"]![0]!["part"]!.AsArray();
        Assert.Equal((double)parts.Single(part => (string?)part!["name"] == "chance")!["valueDecimal"]!, estimate.Chance, 0.001);
        return (estimate.Chance, estimate.IsHigh, [.. parts.Where(part => (string?)part!["name"] == "factor").Select(factor =>
            ((string?)factor!["part"]![0]!["valueCoding"]!["code"], (string?)factor["part"]![1]!["valueCode"]))]);
    }

    /// <summary>All are made a week before.</summary>
    internal static string Created(DateTimeOffset start) => $",\"created\":\"{start.AddDays(-7):yyyy-MM-dd}\"";

    internal static string Visit(string id, string? start, string status, string? patient, string extra = "") => $$"""
        {"resourceType":"Appointment","id":"{{id}}","status":"{{status}}"{{(start is null ? "" : $",\"start\":\"{start}\",\"end\":\"{start}\"")}}{{extra}},"participant":[
         {{(patient is null ? "" : $$"""{"actor":{"reference":"Patient/{{patient}}"},"status":"accepted"},""")}}{"actor":{"reference":"Practitioner/p"},"status":"accepted"}]}
        """;
}

/// <summary>A year of sixty patients, twelve of whom miss two visits of three.</summary>
public sealed class TrainedHouse : IAsyncLifetime
{
    private House? _house;

    internal House House => _house!;

    public async ValueTask InitializeAsync()
    {
        _house = await Support.House.OpenAsync();
        var random = new Random(1);
        for (var i = 0; i < 1_500; i++)
        {
            var patient = i % 60;
            var missed = random.NextDouble() < (patient % 5 == 0 ? 0.67 : 0.04);
            var name = patient == 0 ? "never-comes" : patient == 1 ? "always-comes" : $"x{patient}";
            var start = Support.House.Opening.AddHours(-24 - (5 * i));
            await _house.PutAsync(RiskTests.Visit($"v{i}", $"{start:yyyy-MM-dd'T'HH}:00:00Z", missed && patient != 1 ? "noshow" : "fulfilled", name, RiskTests.Created(start)));
        }
        Assert.True((await _house.Training.TrainAsync(default))!.IsServing);
    }

    public ValueTask DisposeAsync()
    {
        _house?.Dispose();
        return ValueTask.CompletedTask;
    }
}
