using Forecasting.Series;
using Forecasting.Tests.Support;

namespace Forecasting.Tests.Series;

public sealed class LoadSeriesTests
{
    private const string Created = """
        ,"created":"2030-01-04T09:30:00Z"
        """;

    private static readonly DateOnly From = new(2029, 1, 1), End = new(2031, 1, 1);

    [Fact]
    public async Task Appointment_OfAPlaceWithAZone_CountsOnThatClock()
    {
        using var house = await House.OpenAsync();
        await house.PutAsync("""{"resourceType":"Location","id":"berlin","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/timezone","valueCode":"Europe/Berlin"}]}""");
        await house.PutAsync("""{"resourceType":"Location","id":"room","partOf":{"reference":"Location/berlin"}}""");
        await house.PutAsync(Appointment("a", "2030-01-14T23:30:00Z", "room")); // half past midnight on Tuesday

        await house.FollowAsync();

        var counts = await house.Reader.ReadAsync(LoadFilter.Of(LoadPart.Location, "room"), From, End, default);
        Assert.Equal((new DateOnly(2030, 1, 15), 0, 1.0), Assert.Single(counts.Hours(LoadMeasure.Booked)));
    }

    [Theory]
    [InlineData("booked", 1, 1, 0)]
    [InlineData("arrived", 1, 1, 1)]
    [InlineData("checked-in", 1, 1, 1)]
    [InlineData("fulfilled", 1, 1, 1)]
    [InlineData("noshow", 1, 1, 0)]
    [InlineData("cancelled", 1, 0, 0)]
    [InlineData("pending", 1, 0, 0)]
    [InlineData("waitlist", 1, 0, 0)]
    [InlineData("entered-in-error", 0, 0, 0)]
    public async Task Appointment_InAState_CountsFor(string status, int demand, int booked, int attended)
    {
        using var house = await House.OpenAsync();
        await house.PutAsync(Appointment("a", "2030-01-14T09:00:00Z", "room", "booked"));
        await house.FollowAsync();
        await house.PutAsync(Appointment("a", "2030-01-14T09:00:00Z", "room", status));
        await house.FollowAsync();

        var counts = await house.Reader.ReadAsync(LoadFilter.Everything, From, End, default);

        Assert.Equal([demand, booked, attended], Enum.GetValues<LoadMeasure>().Select(measure => counts.Days(measure, From, End).Sum()));
    }

    [Theory]
    [InlineData("pending")]
    [InlineData("cancelled")]
    public async Task Hold_UnderWayOrEnded_CountsForNothing(string status)
    {
        using var house = await House.OpenAsync();
        await house.PutAsync(Appointment("a", "2030-01-14T09:00:00Z", "room", status,
            ""","extension":[{"url":"urn:fhir-server:appointment-hold-client","valueString":"x"}]"""));

        await house.FollowAsync();

        Assert.False((await house.Reader.ReadAsync(LoadFilter.Everything, From, End, default)).Any(DateOnly.MinValue));
        Assert.False(await house.Reader.AnyAsync(default));
    }

    [Fact]
    public async Task Appointment_WithTwoPractitionersOneByRole_IsAVisitToEach()
    {
        using var house = await House.OpenAsync();
        await house.PutAsync("""{"resourceType":"PractitionerRole","id":"r","practitioner":{"reference":"Practitioner/b"}}""");
        await house.PutAsync(Appointment("a", "2030-01-14T09:00:00Z", "room", "booked", "", "Practitioner/a", "PractitionerRole/r", "Practitioner/b"));

        await house.FollowAsync();

        foreach (var practitioner in (string[])["a", "b"])
        {
            Assert.Equal(1, (await house.Reader.ReadAsync(LoadFilter.Of(LoadPart.Practitioner, practitioner), From, End, default)).Days(LoadMeasure.Booked, From, End).Sum());
        }
        Assert.Equal(2, (await house.Reader.ReadAsync(LoadFilter.Everything, From, End, default)).Days(LoadMeasure.Booked, From, End).Sum());
    }

    [Fact]
    public async Task LeadTime_FromCreatedOrTheFirstVersion_WholeDays()
    {
        using var house = await House.OpenAsync();
        await house.PutAsync(Appointment("a", "2030-01-14T09:00:00Z", "room", "booked", Created)); // 9 days and a half
        await house.PutAsync(Appointment("b", "2030-01-14T09:00:00Z", "room")); // made at the opening: 7
        await house.PutAsync(Appointment("c", "2029-12-14T09:00:00Z", "room", "fulfilled")); // written down afterwards
        house.Clock.Advance(TimeSpan.FromDays(3));
        await house.PutAsync(Appointment("b", "2030-01-14T09:00:00Z", "room", "arrived"));

        await house.FollowAsync();

        var counts = await house.Reader.ReadAsync(LoadFilter.Everything, From, End, default);
        Assert.Equal((9 + 7) / 2.0, counts.MeanLead(From, End));
        Assert.Null(counts.MeanLead(new(2029, 12, 1), new(2030, 1, 1)));
    }

    [Fact]
    public async Task Place_ThatGetsAnotherZone_HasItsPastCountedAgain()
    {
        using var house = await House.OpenAsync();
        await house.PutAsync(Appointment("a", "2030-01-14T20:00:00Z", "room"));
        await house.FollowAsync();
        await house.RecountAsync();
        Assert.Equal(14, (await DaysAsync(house)).Single().Day);

        await house.PutAsync("""{"resourceType":"Location","id":"room","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/timezone","valueCode":"Asia/Almaty"}]}"""); // was missing until now
        await house.FollowAsync();
        await house.RecountAsync();
        Assert.Equal(15, (await DaysAsync(house)).Single().Day);

        await house.PutAsync("""{"resourceType":"Location","id":"room","name":"Another name, the same clock","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/timezone","valueCode":"Asia/Almaty"}]}""");
        await house.FollowAsync();
        Assert.Equal(Recount.StepResult.Nothing, await house.Recount.StepAsync(default));
    }

    [Fact]
    public async Task Room_MovedToAHouseOnAnotherClock_HasItsPastCountedAgain()
    {
        using var house = await House.OpenAsync();
        foreach (var (site, zone) in ((string, string)[])[("here", "Europe/Berlin"), ("there", "Asia/Almaty")])
        {
            await house.PutAsync($$"""{"resourceType":"Location","id":"{{site}}","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/timezone","valueCode":"{{zone}}"}]}""");
        }
        await house.PutAsync("""{"resourceType":"Location","id":"room","partOf":{"reference":"Location/here"}}""");
        await house.PutAsync(Appointment("a", "2030-01-14T20:00:00Z", "room"));
        await house.FollowAsync();
        await house.RecountAsync();
        Assert.Equal(14, (await DaysAsync(house)).Single().Day);

        await house.PutAsync("""{"resourceType":"Location","id":"room","partOf":{"reference":"Location/there"}}""");
        await house.FollowAsync();
        await house.RecountAsync();

        Assert.Equal(15, (await DaysAsync(house)).Single().Day);
    }

    /// <summary>A patient is erased with all versions: nobody can be known by what was counted, so the past stays.</summary>
    [Fact]
    public async Task Appointment_ErasedWithItsPatient_StaysCountedInThePastAndIsForgotten()
    {
        using var house = await House.OpenAsync();
        await house.PutAsync(Appointment("past", "2029-12-14T09:00:00Z", "room", "fulfilled"));
        await house.PutAsync(Appointment("ahead", "2030-01-14T09:00:00Z", "room"));
        await house.FollowAsync();
        foreach (var id in (string[])["past", "ahead"])
        {
            await house.Records.CommitAsync(new([], [], [new("Appointment", id)]), default); // without a trace, as an erasure does
        }
        await house.Records.CommitAsync(new([], [], [new(LoadRecords.RecountType, RecountState.Id)]), default);

        await house.RecountAsync();

        Assert.Equal([new DateOnly(2029, 12, 14)], await DaysAsync(house));
        Assert.Equal(0, await house.Load.Counts.CountAsync(default));
    }

    [Theory]
    [InlineData("0001-01-01T00:00:00+14:00")]
    [InlineData("9999-12-31T23:59:59-12:00")]
    public async Task Appointment_OfNoTimeAnybodyPlansFor_IsNotCounted(string start)
    {
        using var house = await House.OpenAsync();
        await house.PutAsync(Appointment("a", start, "room"));

        await house.FollowAsync();

        Assert.False((await house.Reader.ReadAsync(LoadFilter.Everything, From, End, default)).Any(DateOnly.MinValue));
        Assert.False(await house.Reader.AnyAsync(default));
    }

    private static async Task<IEnumerable<DateOnly>> DaysAsync(House house) =>
        (await house.Reader.ReadAsync(LoadFilter.Everything, From, End, default)).Hours(LoadMeasure.Demand).Select(cell => cell.Day);

    internal static string Appointment(string id, string start, string room, string status = "booked", string extra = "", params string[] practitioners) => $$"""
        {"resourceType":"Appointment","id":"{{id}}","status":"{{status}}","start":"{{start}}","end":"{{start}}"{{extra}},"participant":[
        {{string.Concat((practitioners.Length == 0 ? ["Practitioner/a"] : practitioners).Select(who => $$"""{"actor":{"reference":"{{who}}"},"status":"accepted"},"""))}}
        {"actor":{"reference":"Location/{{room}}"},"status":"accepted"}]}
        """;
}
