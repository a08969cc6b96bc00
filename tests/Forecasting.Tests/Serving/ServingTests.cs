using System.Text;
using System.Text.Json.Nodes;
using FhirCore;
using FhirStore.Json;
using Forecasting.Serving;
using Forecasting.Tests.Support;

namespace Forecasting.Tests.Serving;

/// <summary>From appointments in the store to answers. The house's clock stands at Monday 2030-01-07 08:00 UTC.</summary>
public sealed class ServingTests
{
    private const string Practitioner = """{"resourceType":"Practitioner","id":"p","name":[{"family":"Weiß","given":["Ada"],"prefix":["Dr."]}]}""";

    [Fact]
    public async Task Forecast_OfAPractitioner_ContinuesTheWeeksBehind()
    {
        using var house = await HouseAsync();
        var points = (await house.ForecastAsync("Practitioner", "p", ("horizon", "14"))).Points();

        Assert.Equal(14, points.Count);
        Assert.Equal(("2030-01-07", 2.0, true), (points[0].Start, points[0].Expected, points[0].Open));
        Assert.All(points, point => Assert.Equal(point.Open ? 2 : 0, point.Expected, 0.01));
        Assert.Equal(["2030-01-12", "2030-01-13", "2030-01-19", "2030-01-20"], points.Where(point => !point.Open).Select(point => point.Start));
    }

    /// <summary>F05, and schedules that end, stop, or say when they work.</summary>
    [Theory]
    [InlineData("""{"resourceType":"PractitionerRole","id":"r","practitioner":{"reference":"Practitioner/p"},"availableTime":[{"daysOfWeek":["mon","tue"]}]}""", "2030-01-09 2030-01-10 2030-01-11")]
    [InlineData("""{"resourceType":"PractitionerRole","id":"r","practitioner":{"reference":"Practitioner/p"},"notAvailable":[{"description":"away","during":{"start":"2030-01-08","end":"2030-01-10"}}]}""", "2030-01-08 2030-01-09 2030-01-10")]
    [InlineData("""{"resourceType":"PractitionerRole","id":"r","practitioner":{"reference":"Practitioner/p"},"notAvailable":[{"description":"at noon","during":{"start":"2030-01-08T12:00:00Z","end":"2030-01-10T12:00:00Z"}}]}""", "2030-01-09")]
    [InlineData("""{"resourceType":"Schedule","id":"s","actor":[{"reference":"Practitioner/p"}],"planningHorizon":{"end":"2030-01-09"}}""", "2030-01-10 2030-01-11")]
    [InlineData("""{"resourceType":"Schedule","id":"s","actor":[{"reference":"Practitioner/p"}],"active":false}""", "2030-01-07 2030-01-08 2030-01-09 2030-01-10 2030-01-11")]
    [InlineData("""{"resourceType":"Schedule","id":"s","actor":[{"reference":"Practitioner/p"}],"planningHorizon":{"start":"2020-01-01"}}""", "")]
    public async Task Forecast_DaysOnWhichNobodyWorks_AreZero(string directory, string closed)
    {
        using var house = await HouseAsync();
        await house.PutAsync(directory);

        var points = (await house.ForecastAsync("Practitioner", "p", ("horizon", "7"))).Points();

        Assert.Equal(closed.Split(' ', StringSplitOptions.RemoveEmptyEntries).Append("2030-01-12").Append("2030-01-13"), points.Where(point => !point.Open).Select(point => point.Start));
        Assert.All(points.Where(point => !point.Open), point => Assert.Equal((0, 0, 0), (point.Expected, point.Lower, point.Upper)));
    }

    [Fact]
    public async Task Forecast_DaysWithoutASlotAmongThoseThatAreOut_AreZero()
    {
        using var house = await HouseAsync();
        await house.PutAsync("""{"resourceType":"Schedule","id":"s","actor":[{"reference":"Practitioner/p"}]}""");
        foreach (var (id, day, status) in ((string, int, string)[])[("a", 8, "free"), ("b", 9, "busy-unavailable"), ("c", 10, "busy"), ("d", 11, "entered-in-error")])
        {
            await house.PutAsync($$"""{"resourceType":"Slot","id":"{{id}}","schedule":{"reference":"Schedule/s"},"status":"{{status}}","start":"2030-01-{{day:00}}T09:00:00Z","end":"2030-01-{{day:00}}T09:30:00Z"}""");
        }

        var points = (await house.ForecastAsync("Schedule", "s", ("horizon", "5"))).Points();

        Assert.Equal([true, true, false, true, true], points.Select(point => point.Open)); // nothing is out for Friday yet
    }

    [Fact]
    public async Task Forecast_OfAPlaceAndItsParts_AddsUp()
    {
        using var house = await House.OpenAsync();
        await house.PutAsync("""{"resourceType":"Location","id":"site"}""");
        foreach (var (room, each) in ((string, int)[])[("r1", 2), ("r2", 3)])
        {
            await house.PutAsync($$"""{"resourceType":"Location","id":"{{room}}","partOf":{"reference":"Location/site"} }""");
            await house.WeeksAsync(12, each, room, "Practitioner/p" + room);
        }
        await house.FollowAsync();

        var answer = await house.ForecastAsync("Location", "site", ("parts", "practitioner"), ("horizon", "7"), ("measure", "attended"));

        var forecasts = answer.All("forecast");
        Assert.Equal(3, forecasts.Count);
        Assert.Equal("Location/site", (string?)forecasts[1].Single(part => (string?)part!["name"] == "within")!["valueReference"]!["reference"]);
        var points = forecasts.Select(Answer.PointsOf).ToList();
        Assert.All(Enumerable.Range(0, 7), day => Assert.Equal(points[0][day].Expected, points[1][day].Expected + points[2][day].Expected, 0.021)); // each is rounded
        Assert.Equal(5, points[0][0].Expected, 0.1);
    }

    [Fact]
    public async Task Forecast_AskedTwice_IsComputedOnceAndAgainWhenTheSeriesChanges()
    {
        using var house = await HouseAsync();
        var first = await house.ForecastAsync("Practitioner", "p");
        house.Clock.Advance(TimeSpan.FromMinutes(5));
        var second = await house.ForecastAsync("Practitioner", "p");
        Assert.Equal((string?)first.Value("made"), (string?)second.Value("made"));

        await house.DeleteAsync("Appointment", "p-room-3-0");
        await house.FollowAsync();
        var third = await house.ForecastAsync("Practitioner", "p");
        Assert.NotEqual((string?)first.Value("made"), (string?)third.Value("made"));
    }

    [Theory]
    [InlineData("day", 28)]
    [InlineData("week", 4)]
    [InlineData("hour", 20)] // one hour on each of the 20 open days
    public async Task Forecast_ByGranularity_SumsToTheSame(string granularity, int count)
    {
        using var house = await HouseAsync();
        var points = (await house.ForecastAsync("Practitioner", "p", ("granularity", granularity), ("horizon", "28"))).Points();

        Assert.Equal(count, points.Count);
        Assert.Equal(40, points.Sum(point => point.Expected), 0.3);
        Assert.All(points, point => Assert.InRange(point.Expected, point.Lower, point.Upper));
    }

    [Fact]
    public async Task Forecast_OfAttendance_WhereNobodySaysWhoCame_IsNotTrusted()
    {
        using var house = await House.OpenAsync();
        await house.PutAsync(Practitioner);
        await house.WeeksAsync(20, 2, "room", "Practitioner/p", status: "booked");
        await house.FollowAsync();

        var attended = await house.ForecastAsync("Practitioner", "p", ("measure", "attended"));
        var booked = await house.ForecastAsync("Practitioner", "p", ("measure", "booked"));

        Assert.False((bool)attended.Value("trusted")!);
        Assert.Contains("outcomes-missing", attended.Text, StringComparison.Ordinal);
        Assert.True((bool)booked.Value("trusted")!);
    }

    [Fact]
    public async Task Capacity_MoreWantedThanThereAreSlots_NamesTheWeek()
    {
        using var house = await HouseAsync();
        await house.PutAsync("""{"resourceType":"Schedule","id":"s","actor":[{"reference":"Practitioner/p"}]}""");
        for (var day = 8; day <= 31; day++)
        {
            for (var slot = 0; slot < (day is >= 14 and <= 20 ? 1 : 4); slot++) // the second week has one a day
            {
                await house.PutAsync($$"""{"resourceType":"Slot","id":"{{day}}-{{slot}}","schedule":{"reference":"Schedule/s"},"status":"{{(slot == 0 ? "busy" : "free")}}","start":"2030-01-{{day:00}}T{{9 + slot:00}}:00:00Z","end":"2030-01-{{day:00}}T{{9 + slot:00}}:30:00Z"}""");
            }
        }

        var answer = await house.InvokeAsync(ForecastingOperation.Capacity, "Schedule", "s", AnswerForm.Csv, ("horizon", "28"));

        var rows = Encoding.UTF8.GetString(answer.Value.Span).Split("\r\n")[1..^1].Select(row => row.Split(',')).ToList();
        Assert.Equal(["2030-01-08", "2030-01-14", "2030-01-21", "2030-01-28", "2030-02-04"], rows.Select(row => row[2]));
        Assert.Equal(["fits", "overflow", "fits", "unpublished", "unpublished"], rows.Select(row => row[10]));
        Assert.Equal(["24", "7", "28", "16", "0"], rows.Select(row => row[8]));
        var json = await house.InvokeAsync(ForecastingOperation.Capacity, "Schedule", "s", AnswerForm.Fhir, ("horizon", "28"));
        Assert.Equal(["2030-01-14"], new Answer(json.Value).All("capacity")[0].Where(part => (string?)part!["name"] == "overflow").Select(part => (string?)part!["valueDate"]));
    }

    [Theory]
    [InlineData("Practitioner", "nobody", FailureKind.NotFound, "Practitioner/nobody does not exist.")]
    [InlineData("Practitioner", "p", FailureKind.Forbidden, "The figures of this Practitioner are for the managers of its organization, and for the practitioner whose own they are.")]
    public async Task Forecast_OutOfReach_IsRefused(string type, string id, FailureKind kind, string why)
    {
        using var house = await HouseAsync();
        var refused = await house.Api.InvokeAsync(new(ForecastingOperation.Forecast, type, id) { Figures = new(false, ["elsewhere"], "another"), BaseUrl = House.BaseUrl }, default);

        Assert.Equal((kind, why), (refused.Failure!.Kind, refused.Failure.Issues[0].Diagnostics));
    }

    [Fact]
    public async Task Figures_AreOfOnesOwnAndOfOnesOrganization()
    {
        using var house = await HouseAsync();
        await house.PutAsync("""{"resourceType":"PractitionerRole","id":"r","practitioner":{"reference":"Practitioner/p"},"organization":{"reference":"Organization/o"}}""");
        await house.PutAsync("""{"resourceType":"Schedule","id":"s","actor":[{"reference":"PractitionerRole/r"}]}""");
        await house.PutAsync("""{"resourceType":"Location","id":"site","managingOrganization":{"reference":"Organization/o"}}""");
        await house.PutAsync("""{"resourceType":"Location","id":"elsewhere","managingOrganization":{"reference":"Organization/other"}}""");
        await house.PutAsync("""{"resourceType":"HealthcareService","id":"h","providedBy":{"reference":"Organization/o"}}""");
        FiguresReach manager = new(false, ["o"], null), self = new(false, [], "p"), nobody = new(false, [], "q");
        (string Type, string Id, bool Manager, bool Self)[] expected =
        [
            ("Practitioner", "p", true, true), ("Schedule", "s", true, true), ("Location", "site", true, false), ("Location", "elsewhere", false, false), ("HealthcareService", "h", true, false),
        ];
        foreach (var (type, id, byManager, bySelf) in expected)
        {
            Assert.Equal(byManager, await SeesAsync(manager, type, id));
            Assert.Equal(bySelf, await SeesAsync(self, type, id));
            Assert.False(await SeesAsync(nobody, type, id));
        }
        async Task<bool> SeesAsync(FiguresReach reach, string type, string id)
        {
            var one = await house.Api.InvokeAsync(new(ForecastingOperation.Forecast, type, id) { Figures = reach, BaseUrl = House.BaseUrl }, default);
            var all = await house.Api.InvokeAsync(new(ForecastingOperation.Forecast, type, null) { Figures = reach, BaseUrl = House.BaseUrl }, default);
            Assert.Equal(one.Failure is null, new Answer(all.Value).Text.Contains($"\"{type}/{id}\"", StringComparison.Ordinal));
            return one.Failure is null;
        }
    }

    /// <summary>What leaves is FHIR as this server itself takes it: strictly parsed.</summary>
    [Theory]
    [InlineData("Practitioner", "p", "parameters", "Parameters")]
    [InlineData("Practitioner", null, "parameters", "Parameters")]
    [InlineData("Location", null, "parameters", "Parameters")] // there is none
    [InlineData("Practitioner", "p", "measure-report", "MeasureReport")]
    [InlineData("Practitioner", null, "measure-report", "Bundle")]
    [InlineData("Location", null, "measure-report", "Bundle")]
    public async Task Answers_PassTheStrictParser(string type, string? id, string output, string answerType)
    {
        using var house = await HouseAsync();
        await house.PutAsync("""{"resourceType":"Practitioner","id":"new"}"""); // nobody has ever come
        foreach (var granularity in (string[])["day", "week", "hour"])
        {
            var answer = await house.InvokeAsync(ForecastingOperation.Forecast, type, id, AnswerForm.Fhir, ("output", output), ("granularity", granularity));
            var parsed = ResourceParser.Parse(answer.Value, answerType);
            Assert.True(parsed.Failure is null, parsed.Failure?.Issues[0].ToString());
        }
    }

    private static async Task<House> HouseAsync()
    {
        var house = await House.OpenAsync();
        await house.PutAsync(Practitioner);
        await house.WeeksAsync(30, 2, "room", "Practitioner/p");
        await house.FollowAsync();
        return house;
    }
}

/// <summary>A Parameters answer, and shortcuts to look into it.</summary>
internal sealed class Answer(ReadOnlyMemory<byte> bytes)
{
    private readonly JsonNode _json = JsonNode.Parse(bytes.Span)!;

    internal sealed record Point(string Start, double Expected, double Lower, double Upper, bool Open, int Booked);

    public string Text => _json.ToJsonString();

    public List<JsonArray> All(string name) => [.. (_json["parameter"]?.AsArray() ?? []).Where(p => (string?)p!["name"] == name).Select(p => p!["part"]!.AsArray())];

    public List<Point> Points() => PointsOf(All("forecast")[0]);

    public JsonNode? Value(string name) => All("forecast")[0].Single(part => (string?)part!["name"] == name)!.AsObject().Single(property => property.Key.StartsWith("value", StringComparison.Ordinal)).Value;

    public static List<Point> PointsOf(JsonArray forecast) => [.. forecast.Where(part => (string?)part!["name"] == "point").Select(part =>
    {
        var parts = part!["part"]!.AsArray().ToDictionary(one => (string)one!["name"]!, one => one!);
        double Number(string name) => (double)parts[name]["valueDecimal"]!;
        return new Point((string)parts["period"]["valuePeriod"]!["start"]!, Number("expected"), Number("lower"), Number("upper"), (bool)parts["open"]["valueBoolean"]!, (int)parts["booked"]["valueInteger"]!);
    })];
}
