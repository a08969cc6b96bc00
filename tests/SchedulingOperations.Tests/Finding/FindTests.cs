using System.Text.Json.Nodes;
using SchedulingOperations.Tests.Support;
using static SchedulingOperations.Tests.Support.Clinic;

namespace SchedulingOperations.Tests.Finding;

public sealed class FindTests
{
    private static readonly string Day = $"start={Tomorrow(0)}&end={Tomorrow(23)}";

    [Fact] // 8
    public async Task Find_OffersWhatIsFreeAndNothingElse()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        await clinic.BookAsync(Half(1));
        await clinic.HoldAsync(Half(3));
        var reply = await clinic.FindAsync(Day);
        Assert.Equal(200, reply.Status);
        Assert.Equal("searchset", (string)reply.Body!["type"]!);
        Assert.Equal([Tomorrow(9), Tomorrow(10), Tomorrow(11), Tomorrow(11, 30)], reply.Appointments.Select(a => (string)a["start"]!));
        Assert.Equal(4, (int)reply.Body["total"]!);
        Assert.All(reply.Appointments, a => Assert.True(FhirCore.FhirIds.IsValid((string)a["id"]!)));
        Assert.Equal("outcome", (string)reply.Body["entry"]!.AsArray()[^1]!["search"]!["mode"]!);
        // What is offered can be booked as it is, with a patient added.
        var offer = reply.Appointments[0].DeepClone().AsObject();
        offer["participant"]!.AsArray().Add(JsonNode.Parse("""{"actor":{"reference":"Patient/pat1"},"status":"accepted"}"""));
        Assert.Equal(201, (await clinic.BookAsync(offer)).Status);
    }

    [Fact] // 49
    public async Task Find_TwoPractitionersAndRoom_FirstAThenBAndOnlyWhileTheRoomIsFree()
    {
        using var clinic = await OpenAsync();
        await clinic.WithDoctorAsync();
        await clinic.WithDoctorAsync("b");
        await clinic.PutAsync("""{"resourceType":"Location","id":"room"}""");
        await clinic.PutAsync("""{"resourceType":"Schedule","id":"sched-room","actor":[{"reference":"Location/room"}]}""");
        await clinic.PutAsync(SlotJson("r0", "sched-room", Tomorrow(9, 30), Tomorrow(10, 45)));
        var reply = await clinic.FindAsync($"{Day}&practitioner=Practitioner/dr-b&practitioner=Practitioner/dr-a&location-reference=Location/room");
        Assert.Equal([("dr-b", Tomorrow(9, 30)), ("dr-b", Tomorrow(10)), ("dr-a", Tomorrow(9, 30)), ("dr-a", Tomorrow(10))], reply.Appointments.Select(a =>
            (a["participant"]!.AsArray().Select(p => (string)p!["actor"]!["reference"]!).First(r => r.StartsWith("Practitioner/", StringComparison.Ordinal))[13..], (string)a["start"]!)));
        Assert.All(reply.Appointments, a => Assert.Contains(a["participant"]!.AsArray(), p => (string)p!["actor"]!["reference"]! == "Location/room"));
        var booked = await clinic.BookAsync(Parameters(("appointment-reference", Ref($"Appointment/{(string)reply.Appointments[0]["id"]!}")), ("patient-reference", Ref("Patient/pat1"))));
        Assert.True(booked.Status == 201, booked.Text);
        Assert.Equal(["09:30-10:00 busy", "10:00-10:45 free"], await clinic.DayAsync("sched-room"));
        Assert.Equal("busy", await clinic.StatusAsync("Slot/b1"));
        // The room is taken now for Dr A, too.
        var later = await clinic.FindAsync($"{Day}&practitioner=Practitioner/dr-a&location-reference=Location/room");
        Assert.Equal([Tomorrow(10)], later.Appointments.Select(a => (string)a["start"]!));
    }

    [Fact]
    public async Task Find_ScheduleOfDoctorAndRoomTogether_NeedsNoSecond()
    {
        using var clinic = await OpenAsync();
        await clinic.WithDoctorAsync(actors: """,{"reference":"Location/room"}""");
        Assert.Equal(6, (int)(await clinic.FindAsync($"{Day}&practitioner=dr-a&location=room")).Body!["total"]!);
        Assert.Equal(0, (int)(await clinic.FindAsync($"{Day}&practitioner=dr-a&location=elsewhere")).Body!["total"]!);
    }

    [Fact]
    public async Task Find_DoctorBusyInAnotherSchedule_IsNotOffered()
    {
        using var clinic = await OpenAsync();
        await clinic.WithDoctorAsync();
        await clinic.PutAsync("""{"resourceType":"Schedule","id":"other","actor":[{"reference":"Practitioner/dr-a"}]}""");
        await clinic.PutAsync(SlotJson("o", "other", Tomorrow(9, 15), Tomorrow(9, 45)));
        Assert.Equal(7, (int)(await clinic.FindAsync(Day)).Body!["total"]!);
        await clinic.BookAsync(Proposed("o", Tomorrow(9, 15), Tomorrow(9, 45)));
        Assert.Equal([Tomorrow(10), Tomorrow(10, 30), Tomorrow(11), Tomorrow(11, 30)], (await clinic.FindAsync(Day)).Appointments.Select(a => (string)a["start"]!));
    }

    [Fact] // 50
    public async Task Find_Pages_StayRightWhileOthersBook()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var first = await clinic.FindAsync($"{Day}&_count=2");
        Assert.Equal((2, 6), (first.Appointments.Count, (int)first.Body!["total"]!));
        await clinic.BookAsync(Half(0));
        await clinic.BookAsync(Half(1));
        await clinic.BookAsync(Half(2));
        var next = first.Body["link"]!.AsArray().Select(l => l!.AsObject()).Single(l => (string)l["relation"]! == "next");
        var url = (string)next["url"]!;
        Assert.StartsWith($"{BaseUrl}/Appointment/$find?", url, StringComparison.Ordinal);
        var second = await clinic.FindAsync(url[(url.IndexOf('?', StringComparison.Ordinal) + 1)..]);
        Assert.Equal([Tomorrow(10, 30), Tomorrow(11)], second.Appointments.Select(a => (string)a["start"]!));
    }

    [Fact] // 51
    public async Task Find_NothingFree_IsOneOutcomeEntry()
    {
        using var clinic = await OpenAsync();
        var reply = await clinic.FindAsync(Day);
        Assert.Equal((200, 0), (reply.Status, (int)reply.Body!["total"]!));
        Assert.Equal("OperationOutcome", (string)Assert.Single(reply.Body["entry"]!.AsArray())!["resource"]!["resourceType"]!);
    }

    [Fact] // 53
    public async Task Find_GetAndPost_AreEqual()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var get = await clinic.FindAsync($"{Day}&practitioner=Practitioner/dr-a&_count=3");
        var post = await clinic.InvokeAsync(SchedulingOperation.Find, Parameters(
            ("start", new JsonObject { ["valueDateTime"] = Tomorrow(0) }), ("end", new JsonObject { ["valueDateTime"] = Tomorrow(23) }), ("practitioner", Ref("Practitioner/dr-a"))), query: "_count=3");
        Assert.Equal(get.Body!["entry"]!.ToJsonString(), post.Body!["entry"]!.ToJsonString());
        Assert.Equal(get.Body["total"]!.ToJsonString(), post.Body["total"]!.ToJsonString());
    }

    [Theory] // 52, 54 and bad input
    [InlineData("start=2030-01-08T00:00:00Z")]
    [InlineData("end=2030-01-08T00:00:00Z")]
    [InlineData("start=2030-01-08T00:00:00Z&end=2030-01-07T00:00:00Z")]
    [InlineData("start=2030-01-08T00:00:00Z&end=2030-01-08T00:00:00Z")]
    [InlineData("start=2030-01-01T00:00:00Z&end=2030-02-02T00:00:00Z")]
    [InlineData("start=tomorrow&end=2030-02-02T00:00:00Z")]
    [InlineData("start=2030-01-08&end=2030-01-08&start=2030-01-09")]
    [InlineData("start=2030-01-08&end=2030-01-08&_count=-1")]
    [InlineData("start=2030-01-08&end=2030-01-08&_page=x")]
    [InlineData("start=2030-01-08&end=2030-01-08&duration=0")]
    [InlineData("start=2030-01-08&end=2030-01-08&practitioner=http://elsewhere/Practitioner/x")]
    public async Task Find_WrongInput_Is400(string query)
    {
        using var clinic = await OpenAsync();
        Assert.Equal(400, (await clinic.FindAsync(query)).Status);
    }

    [Fact] // C18
    public async Task Find_InputItCannotUse_IsReportedOrRefused()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var reply = await clinic.FindAsync($"{Day}&insurance-reference=InsurancePlan/x");
        Assert.Equal(200, reply.Status);
        Assert.Contains("insurance-reference", reply.Text, StringComparison.Ordinal);
        Assert.Equal(400, (await clinic.FindAsync($"{Day}&insurance-reference=InsurancePlan/x", strict: true)).Status);
        Assert.Equal(400, (await clinic.FindAsync($"{Day}&specialty=gp", dialect: SchedulingDialect.Ihe)).Status);
        Assert.Equal(200, (await clinic.FindAsync($"{Day}&_count")).Status);
    }

    [Fact]
    public async Task Find_ServiceAndSpecialty_AreThoseOfTheSlotElseOfTheSchedule()
    {
        using var clinic = await OpenAsync();
        await clinic.WithDoctorAsync(scheduleExtra: ""","serviceType":[{"coding":[{"system":"urn:s","code":"gp"}]},{"coding":[{"system":"urn:s","code":"flu"}]}],"specialty":[{"coding":[{"system":"urn:x","code":"general"}]}]""");
        await clinic.PutAsync(SlotJson("flu", "sched-a", Tomorrow(8), Tomorrow(8, 30), extra: ",\"serviceType\":[{\"coding\":[{\"system\":\"urn:s\",\"code\":\"flu\"}]}]"));
        Assert.Equal(6, (int)(await clinic.FindAsync($"{Day}&service-type=urn:s|gp")).Body!["total"]!);
        var flu = await clinic.FindAsync($"{Day}&visit-type=urn:s|flu&specialty=urn:x|general");
        Assert.Equal(7, (int)flu.Body!["total"]!);
        Assert.All(flu.Appointments, a => Assert.Equal("flu", (string)Assert.Single(a["serviceType"]!.AsArray())!["coding"]![0]!["code"]!));
        Assert.Equal(0, (int)(await clinic.FindAsync($"{Day}&service-type=urn:s|eye")).Body!["total"]!);
        Assert.Equal(0, (int)(await clinic.FindAsync($"{Day}&specialty=urn:x|eye")).Body!["total"]!);
    }

    [Fact] // 69
    public async Task Find_InactiveScheduleOrOutsideItsHorizon_OffersNothing()
    {
        using var clinic = await OpenAsync();
        await clinic.WithDoctorAsync(scheduleExtra: $$""","planningHorizon":{"start":"{{Tomorrow(10)}}","end":"{{Tomorrow(11)}}"}""");
        Assert.Equal(2, (int)(await clinic.FindAsync(Day)).Body!["total"]!);
        await clinic.PutAsync("""{"resourceType":"Schedule","id":"sched-a","active":false,"actor":[{"reference":"Practitioner/dr-a"}]}""");
        Assert.Equal(0, (int)(await clinic.FindAsync(Day)).Body!["total"]!);
        Assert.Equal(422, (await clinic.BookAsync(Half(0))).Status);
    }

    [Fact]
    public async Task Find_Duration_CutsSlots()
    {
        using var clinic = await OpenAsync();
        await clinic.PutAsync("""{"resourceType":"Schedule","id":"long","actor":[{"reference":"Practitioner/dr-l"}]}""");
        await clinic.PutAsync("""{"resourceType":"Patient","id":"pat1"}""");
        await clinic.PutAsync(SlotJson("day", "long", Tomorrow(9), Tomorrow(11, 10)));
        var reply = await clinic.FindAsync($"{Day}&duration=30&schedule=long");
        Assert.Equal([Tomorrow(9), Tomorrow(9, 30), Tomorrow(10), Tomorrow(10, 30)], reply.Appointments.Select(a => (string)a["start"]!));
        var booked = await clinic.BookAsync(Parameters(("appointment-reference", Ref($"Appointment/{(string)reply.Appointments[1]["id"]!}")), ("patient-reference", Ref("Patient/pat1"))));
        Assert.True(booked.Status == 201, booked.Text);
        Assert.Equal(["09:00-09:30 free", "09:30-10:00 busy", "10:00-11:10 free"], await clinic.DayAsync("long"));
    }

    [Fact]
    public async Task Find_PastAndPartlyCoveredSlots_AreNotOffered()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        Assert.Equal(2, (int)(await clinic.FindAsync($"start={Tomorrow(9, 10)}&end={Tomorrow(10, 45)}")).Body!["total"]!);
        clinic.Clock.Advance(TimeSpan.FromHours(25) + TimeSpan.FromMinutes(30));
        Assert.Equal([Tomorrow(10), Tomorrow(10, 30), Tomorrow(11), Tomorrow(11, 30)], (await clinic.FindAsync(Day)).Appointments.Select(a => (string)a["start"]!));
    }

    [Fact]
    public async Task Find_OrganizationAndLogicalReference_AreFollowed()
    {
        using var clinic = await OpenAsync();
        await clinic.WithDoctorAsync();
        await clinic.WithDoctorAsync("b");
        await clinic.PutAsync("""{"resourceType":"Organization","id":"org","name":"O","identifier":[{"system":"urn:o","value":"7"}]}""");
        await clinic.PutAsync("""{"resourceType":"PractitionerRole","id":"role","practitioner":{"reference":"Practitioner/dr-b"},"organization":{"reference":"Organization/org"}}""");
        Assert.Equal(6, (int)(await clinic.FindAsync($"{Day}&organization=Organization/org")).Body!["total"]!);
        var logical = await clinic.InvokeAsync(SchedulingOperation.Find, Parameters(
            ("start", new JsonObject { ["valueDateTime"] = Tomorrow(0) }), ("end", new JsonObject { ["valueDateTime"] = Tomorrow(23) }),
            ("organization", JsonNode.Parse("""{"valueReference":{"type":"Organization","identifier":{"system":"urn:o","value":"7"}}}""")!.AsObject())));
        Assert.Equal(6, (int)logical.Body!["total"]!);
        Assert.Equal(0, (int)(await clinic.FindAsync($"{Day}&organization=Organization/org&practitioner=dr-a")).Body!["total"]!);
    }

    [Fact] // 76
    public async Task Find_DateWithoutTime_IsInTheConfiguredZone()
    {
        using var clinic = await (await OpenAsync(o => o.TimeZone = "Pacific/Auckland")).WithDoctorAsync();
        // 09:00 UTC is 22:00 in Auckland in January; midnight there is 11:00 UTC.
        Assert.Equal(4, (int)(await clinic.FindAsync("start=2030-01-08&end=2030-01-08")).Body!["total"]!);
        Assert.Equal(2, (int)(await clinic.FindAsync("start=2030-01-09&end=2030-01-09")).Body!["total"]!);
    }
}
