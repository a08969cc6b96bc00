using System.Text.Json.Nodes;
using SchedulingOperations.Tests.Support;
using static SchedulingOperations.Tests.Support.Clinic;

namespace SchedulingOperations.Tests.Booking;

/// <summary>What <c>$book</c> does with new appointments. Numbers are those of the contract's list of edge cases.</summary>
public sealed class BookTests
{
    [Fact] // 16
    public async Task Book_BareAppointmentOnSlot_IsCreatedWithIdAndSlot()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var reply = await clinic.BookAsync(Half(0));
        Assert.Equal(201, reply.Status);
        Assert.Equal("Appointment", (string)reply.Body!["resourceType"]!);
        Assert.Equal("booked", (string)reply.Body["status"]!);
        Assert.Equal("Slot/a0", (string)reply.Body["slot"]![0]!["reference"]!);
        Assert.Equal($"{BaseUrl}/Appointment/{reply.Id}/_history/1", reply.Raw!.Location);
        Assert.Equal("busy", await clinic.StatusAsync("Slot/a0"));
        Assert.Equal(reply.Body.ToJsonString(), (await clinic.GetAsync($"Appointment/{reply.Id}")).ToJsonString());
        Assert.Contains(reply.Body["participant"]!.AsArray(), p => (string?)p!["actor"]!["reference"] == "Practitioner/dr-a" && (string)p["status"]! == "accepted");
        var changes = await clinic.Records.ReadChangesAsync(0, 1000, default);
        Assert.Single(changes, c => c.Cause == "book");
        Assert.Single(changes, c => c.Cause == "slot-take");
    }

    [Fact] // 17
    public async Task Book_InsideALongSlot_LeavesTheRestBookable()
    {
        using var clinic = await OpenAsync();
        await clinic.WithDoctorAsync();
        await clinic.PutAsync("""{"resourceType":"Practitioner","id":"dr-l"}""");
        await clinic.PutAsync("""{"resourceType":"Schedule","id":"long","actor":[{"reference":"Practitioner/dr-l"}]}""");
        await clinic.PutAsync(SlotJson("day", "long", "2030-01-08T09:00:00+01:00", "2030-01-08T20:00:00+01:00", extra: ",\"identifier\":[{\"value\":\"x\"}],\"comment\":\"c\""));
        var reply = await clinic.BookAsync(Proposed("day", "2030-01-08T11:05:00+01:00", "2030-01-08T11:55:00+01:00"));
        Assert.Equal(201, reply.Status);
        Assert.Equal("2030-01-08T11:05:00+01:00", (string)reply.Body!["start"]!); // 75
        Assert.Equal(["08:00-10:05 free", "10:05-10:55 busy", "10:55-19:00 free"], await clinic.DayAsync("long"));
        var pieces = (await clinic.AllAsync("Slot")).Where(s => (string)s["schedule"]!["reference"]! == "Schedule/long").OrderBy(s => (string)s["start"]!, StringComparer.Ordinal).ToList();
        Assert.Equal("day", (string)pieces[1]["id"]!);
        Assert.Null(pieces[0]["identifier"]);
        Assert.Equal("c", (string)pieces[0]["comment"]!);
        Assert.Equal(("2030-01-08T09:00:00+01:00", "2030-01-08T11:05:00+01:00"), ((string)pieces[0]["start"]!, (string)pieces[0]["end"]!));
        foreach (var piece in new[] { pieces[0], pieces[2] })
        {
            Assert.Equal(201, (await clinic.BookAsync(Proposed((string)piece["id"]!, (string)piece["start"]!, (string)piece["end"]!, "pat2"))).Status);
        }
        Assert.Equal(["08:00-10:05 busy", "10:05-10:55 busy", "10:55-19:00 busy"], await clinic.DayAsync("long"));
    }

    [Fact]
    public async Task Cancel_OfPiecesInAnyOrder_MendsTheSlot()
    {
        using var clinic = await OpenAsync();
        await clinic.WithDoctorAsync();
        await clinic.PutAsync("""{"resourceType":"Schedule","id":"long","actor":[{"reference":"HealthcareService/x"}]}""");
        await clinic.PutAsync(SlotJson("day", "long", Tomorrow(9), Tomorrow(17)));
        var ids = new List<string>();
        foreach (var hour in new[] { 12, 10, 15, 11 })
        {
            var reply = await clinic.BookAsync(Parameters(("appt-resource", Proposed(null, Tomorrow(hour), Tomorrow(hour, 30))), ("schedule", Ref("Schedule/long"))));
            Assert.True(reply.Status == 201, reply.Text);
            ids.Add(reply.Id);
        }
        Assert.Equal(9, (await clinic.DayAsync("long")).Count);
        foreach (var i in new[] { 1, 0, 3, 2 })
        {
            Assert.Equal(200, (await clinic.CancelAsync(ids[i])).Status);
        }
        Assert.Equal(["09:00-17:00 free"], await clinic.DayAsync("long"));
        Assert.Equal("free", await clinic.StatusAsync("Slot/day"));
    }

    [Fact]
    public async Task Book_StrictSlotMatch_RefusesAPartOfASlot()
    {
        using var clinic = await (await OpenAsync(o => o.StrictSlotMatch = true)).WithDoctorAsync();
        Assert.Equal(422, (await clinic.BookAsync(Proposed("a0", Tomorrow(9), Tomorrow(9, 15)))).Status);
        Assert.Equal(201, (await clinic.BookAsync(Half(0))).Status);
    }

    [Fact] // 18
    public async Task Book_WithScheduleAndNoSlot_FindsTheSlot()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var body = Parameters(("appt-resource", Proposed(null, Tomorrow(9, 30), Tomorrow(10))), ("schedule", Ref("Schedule/sched-a")));
        var reply = await clinic.BookAsync(body);
        Assert.Equal(201, reply.Status);
        Assert.Equal("Slot/a1", (string)reply.Body!["slot"]![0]!["reference"]!);
        var again = await clinic.BookAsync(body);
        Assert.Equal((409, "slot-unavailable"), (again.Status, again.Detail));
        Assert.Equal(422, (await clinic.BookAsync(Parameters(("appt-resource", Proposed(null, Tomorrow(10), Tomorrow(10, 30))), ("schedule", Ref("Schedule/none"))))).Status);
    }

    [Fact]
    public async Task Book_WithActorsOnly_FindsTheirSlots()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var body = Proposed(null, Tomorrow(9), Tomorrow(10));
        body["participant"]!.AsArray().Add(JsonNode.Parse("""{"actor":{"reference":"Practitioner/dr-a"},"status":"needs-action"}"""));
        var reply = await clinic.BookAsync(body);
        Assert.True(reply.Status == 201, reply.Text);
        Assert.Equal(["Slot/a0", "Slot/a1"], reply.Body!["slot"]!.AsArray().Select(s => (string)s!["reference"]!));
        Assert.Equal((422, "slot-required"), (await clinic.BookAsync(Proposed(null, Tomorrow(11), Tomorrow(12)))) is var none ? (none.Status, none.Detail) : default);
    }

    public static TheoryData<string, int, string?, string> Refused => new()
    {
        { "19 no start and end", 400, null, """{"slot":[{"reference":"Slot/a0"}],"start":null,"end":null}""" },
        { "20 booked already", 422, "status-transition", """{"status":"booked"}""" },
        { "21 end before start", 422, "end-not-after-start", """{"start":"2030-01-08T09:30:00Z","end":"2030-01-08T09:00:00Z"}""" },
        { "21 no length", 422, "end-not-after-start", """{"start":"2030-01-08T09:00:00Z","end":"2030-01-08T09:00:00Z"}""" },
        { "22 unknown slot", 422, "reference-not-found", """{"slot":[{"reference":"Slot/none"}]}""" },
        { "22 foreign slot", 422, "reference-not-found", """{"slot":[{"reference":"http://other/fhir/Slot/a0"}]}""" },
        { "22 unknown patient", 422, "reference-not-found", """{"participant":[{"actor":{"reference":"Patient/none"},"status":"accepted"}]}""" },
        { "22 foreign patient", 422, "reference-not-found", """{"participant":[{"actor":{"reference":"http://other/fhir/Patient/pat1"},"status":"accepted"}]}""" },
        { "22 inactive patient", 422, "patient-inactive", """{"participant":[{"actor":{"reference":"Patient/inactive"},"status":"accepted"}]}""" },
        { "23 no patient", 422, "patient-required", """{"participant":[{"actor":{"reference":"Practitioner/dr-a"},"status":"accepted"}]}""" },
        { "29 slot twice", 422, "slot-mismatch", """{"slot":[{"reference":"Slot/a0"},{"reference":"Slot/a0"}]}""" },
        { "29 not adjacent", 422, "slot-mismatch", """{"slot":[{"reference":"Slot/a0"},{"reference":"Slot/a2"}],"end":"2030-01-08T10:30:00Z"}""" },
        { "29 different schedules", 422, "slot-mismatch", """{"slot":[{"reference":"Slot/a0"},{"reference":"Slot/b1"}],"end":"2030-01-08T10:00:00Z"}""" },
        { "30 different services", 422, "slot-mismatch", """{"slot":[{"reference":"Slot/a0"},{"reference":"Slot/eye"}],"start":"2030-01-08T09:00:00Z"}""" },
        { "31 in the past", 422, "in-the-past", """{"slot":[{"reference":"Slot/past"}],"start":"2030-01-07T07:00:00Z","end":"2030-01-07T07:30:00Z"}""" },
        { "31 right now", 422, "in-the-past", """{"slot":[{"reference":"Slot/past"}],"start":"2030-01-07T08:00:00Z","end":"2030-01-07T08:30:00Z"}""" },
        { "32 text too long", 422, "text-too-long", """{"comment":"LONG"}""" },
        { "33 service not offered", 422, "service-not-offered", """{"slot":[{"reference":"Slot/eye"}],"start":"2030-01-08T08:30:00Z","end":"2030-01-08T09:00:00Z","serviceType":[{"coding":[{"system":"urn:s","code":"ear"}]}]}""" },
        { "outside the slot", 422, "slot-mismatch", """{"end":"2030-01-08T09:45:00Z"}""" },
        { "longer than the server takes", 422, null, """{"end":"2030-01-10T09:45:00Z"}""" },
        { "busy slot", 409, "slot-unavailable", """{"slot":[{"reference":"Slot/busy"}],"start":"2030-01-08T14:00:00Z","end":"2030-01-08T14:30:00Z"}""" },
    };

    [Theory, MemberData(nameof(Refused))]
    public async Task Book_AgainstARule_IsRefusedAndNothingIsStored(string what, int status, string? detail, string change)
    {
        using var clinic = await OpenAsync();
        await clinic.WithDoctorAsync();
        await clinic.WithDoctorAsync("b");
        await clinic.PutAsync("""{"resourceType":"Patient","id":"inactive","active":false}""");
        await clinic.PutAsync(SlotJson("eye", "sched-a", Tomorrow(8, 30), Tomorrow(9), extra: ",\"serviceType\":[{\"coding\":[{\"system\":\"urn:s\",\"code\":\"eye\"}]}]"));
        await clinic.PutAsync(SlotJson("past", "sched-a", "2030-01-07T06:00:00Z", "2030-01-07T10:00:00Z"));
        await clinic.PutAsync(SlotJson("busy", "sched-a", Tomorrow(14), Tomorrow(14, 30), "busy"));
        var body = Half(0);
        foreach (var (name, value) in JsonNode.Parse(change.Replace("LONG", new string('x', 4001), StringComparison.Ordinal))!.AsObject())
        {
            if (value is null)
            {
                body.Remove(name);
            }
            else
            {
                body[name] = value.DeepClone();
            }
        }
        var before = await clinic.Records.ReadChangesAsync(0, 1000, default);
        var reply = await clinic.BookAsync(body);
        Assert.True(reply.Status == status, $"{what}: {reply.Status} {reply.Text}");
        if (detail is not null)
        {
            Assert.Equal(detail, reply.Detail);
        }
        Assert.Equal(before.Count, (await clinic.Records.ReadChangesAsync(0, 1000, default)).Count);
    }

    [Fact] // 23
    public async Task Book_IsikWithoutDisplay_IsRefusedOnThatBaseOnly()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var body = Half(0);
        body["participant"]![0]!["actor"]!.AsObject().Remove("display");
        Assert.Equal((422, "display-required"), (await clinic.BookAsync(body, dialect: SchedulingDialect.Isik)) is var r ? (r.Status, r.Detail) : default);
        Assert.Equal(201, (await clinic.BookAsync(body)).Status);
    }

    [Fact] // 4
    public async Task Book_PractitionerFreeRoomBusy_WritesNothing()
    {
        using var clinic = await OpenAsync();
        await clinic.WithDoctorAsync();
        await clinic.WithDoctorAsync("b");
        await clinic.PutAsync("""{"resourceType":"Location","id":"room","physicalType":{"coding":[{"code":"ro"}]}}""");
        await clinic.PutAsync("""{"resourceType":"Location","id":"house","physicalType":{"coding":[{"code":"bu"}]}}""");
        JsonObject In(string doctor, string location)
        {
            var body = Half(0, doctor);
            body["participant"]!.AsArray().Add(JsonNode.Parse($$"""{"actor":{"reference":"Location/{{location}}","display":"L"},"status":"accepted"}"""));
            return body;
        }
        Assert.Equal(201, (await clinic.BookAsync(In("a", "room"))).Status);
        var refused = await clinic.BookAsync(In("b", "room"));
        Assert.Equal((409, "slot-unavailable"), (refused.Status, refused.Detail));
        Assert.Contains("Location/room", refused.Text, StringComparison.Ordinal);
        Assert.Equal("free", await clinic.StatusAsync("Slot/b0"));
        Assert.Single(await clinic.AllAsync("Appointment"));
        // A building is no room: two visits fit in it.
        Assert.Equal(201, (await clinic.BookAsync(In("b", "house"))).Status);
    }

    [Fact]
    public async Task Book_SlotsOfDoctorAndRoomTogether_TakesBothOrNone()
    {
        using var clinic = await OpenAsync();
        await clinic.WithDoctorAsync();
        await clinic.PutAsync("""{"resourceType":"Location","id":"room"}""");
        await clinic.PutAsync("""{"resourceType":"Schedule","id":"sched-room","actor":[{"reference":"Location/room"}]}""");
        await clinic.PutAsync(SlotJson("r0", "sched-room", Tomorrow(9), Tomorrow(10)));
        var reply = await clinic.BookAsync(Proposed("a0,r0", Tomorrow(9), Tomorrow(9, 30)));
        Assert.True(reply.Status == 201, reply.Text);
        Assert.Equal(["09:00-09:30 busy", "09:30-10:00 free"], await clinic.DayAsync("sched-room"));
        Assert.Equal(409, (await clinic.BookAsync(Proposed("a1,r0", Tomorrow(9, 30), Tomorrow(10)))).Status);
        Assert.Equal("free", await clinic.StatusAsync("Slot/a1"));
    }

    [Fact] // B06
    public async Task Book_OverlappingSlotsOfOneDoctorInTwoSchedules_OneWins()
    {
        using var clinic = await OpenAsync();
        await clinic.WithDoctorAsync();
        await clinic.PutAsync("""{"resourceType":"Schedule","id":"other","actor":[{"reference":"Practitioner/dr-a"}]}""");
        await clinic.PutAsync(SlotJson("o", "other", Tomorrow(9, 15), Tomorrow(9, 45)));
        var replies = await Task.WhenAll(
            Task.Run(() => clinic.BookAsync(Half(0))), Task.Run(() => clinic.BookAsync(Proposed("o", Tomorrow(9, 15), Tomorrow(9, 45), "pat2"))));
        Assert.Single(replies, r => r.Status == 201);
        Assert.Single(replies, r => r.Status == 409 && r.Detail == "slot-unavailable");
        Assert.Single(await clinic.AllAsync("Appointment"));
        Assert.Equal(409, (await clinic.BookAsync(Proposed("a0", Tomorrow(9), Tomorrow(9, 30)))).Status);
    }

    [Theory]
    [InlineData(0, 0, 24)]
    [InlineData(8, 59, 1)]
    [InlineData(2, 30, 10)]
    public async Task Book_WithinALongVisitOfTheDoctor_IsRefusedAndNotOffered(int hour, int minute, int hours)
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        await clinic.PutAsync($$"""
            {"resourceType":"Appointment","status":"booked","start":"{{Tomorrow(hour, minute)}}","end":"{{Tomorrow(hour + hours, minute)}}","participant":[{"actor":{"reference":"Practitioner/dr-a"},"status":"accepted"}]}
            """);
        var free = (await clinic.FindAsync($"start={Tomorrow(0)}&end={Tomorrow(23)}")).Appointments.Select(a => (string)a["start"]!).ToList();
        for (var n = 0; n < 6; n++)
        {
            var overlaps = 9 * 60 + 30 * n < (hour + hours) * 60 + minute;
            Assert.Equal(overlaps ? 409 : 201, (await clinic.BookAsync(Half(n))).Status);
            Assert.Equal(!overlaps, free.Contains(Tomorrow(9, 30 * n)));
        }
    }

    [Fact] // B07: by setting
    public async Task Book_PatientWithTwoDoctorsAtOnce_FollowsTheSetting()
    {
        using var open = await OpenAsync();
        await open.WithDoctorAsync();
        await open.WithDoctorAsync("b");
        Assert.Equal(201, (await open.BookAsync(Half(0))).Status);
        Assert.Equal(201, (await open.BookAsync(Half(0, "b"))).Status);
        using var strict = await OpenAsync(o => o.ExclusiveActors = "Practitioner,Patient");
        await strict.WithDoctorAsync();
        await strict.WithDoctorAsync("b");
        Assert.Equal(201, (await strict.BookAsync(Half(0))).Status);
        var refused = await strict.BookAsync(Half(0, "b"));
        Assert.Equal(409, refused.Status);
        Assert.DoesNotContain("pat1", refused.Text, StringComparison.Ordinal);
    }

    [Fact] // B10
    public async Task Book_SecondOfTwoSlotsTaken_ReservesNothing()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        Assert.Equal(201, (await clinic.BookAsync(Half(1))).Status);
        Assert.Equal(409, (await clinic.BookAsync(Proposed("a0,a1", Tomorrow(9), Tomorrow(10), "pat2"))).Status);
        Assert.Equal("free", await clinic.StatusAsync("Slot/a0"));
        var both = await clinic.BookAsync(Proposed("a3,a2", Tomorrow(10), Tomorrow(11), "pat2"));
        Assert.True(both.Status == 201, both.Text);
        Assert.Equal("busy", await clinic.StatusAsync("Slot/a2"));
        Assert.Equal("busy", await clinic.StatusAsync("Slot/a3"));
    }

    [Fact] // B14
    public async Task Book_OffsetsOfOneInstant_AreOneTime()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var reply = await clinic.BookAsync(Proposed("a0", "2030-01-08T23:00:00+14:00", "2030-01-08T04:30:00-05:00"));
        Assert.True(reply.Status == 201, reply.Text);
        Assert.Equal("2030-01-08T23:00:00+14:00", (string)reply.Body!["start"]!);
        Assert.Equal("09:00-09:30 busy", (await clinic.DayAsync("sched-a"))[0]);
        Assert.Equal(6, (await clinic.DayAsync("sched-a")).Count);
    }

    [Fact] // 28
    public async Task Book_PreferMinimal_HasLocationAndNoBody()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var reply = await clinic.InvokeAsync(SchedulingOperation.Book, Half(0), prefer: PreferReturn.Minimal);
        Assert.Equal(201, reply.Status);
        Assert.Null(reply.Raw!.Body);
        Assert.NotNull(reply.Raw.Location);
        var outcome = await clinic.InvokeAsync(SchedulingOperation.Book, Half(1), prefer: PreferReturn.OperationOutcome);
        Assert.Equal("OperationOutcome", (string)outcome.Body!["resourceType"]!);
    }

    [Fact] // 1, B01
    public async Task Book_ThousandAtOnceOnOneSlot_ExactlyOneWins()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var before = (await clinic.Records.ReadChangesAsync(0, 10_000, default)).Count;
        var replies = await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => Task.Run(() => clinic.BookAsync(Half(0, patient: i % 2 == 0 ? "pat1" : "pat2"), $"app{i}"))));
        Assert.Single(replies, r => r.Status == 201);
        Assert.Equal(999, replies.Count(r => r.Status == 409 && r.Detail == "slot-unavailable"));
        Assert.Single(await clinic.AllAsync("Appointment"));
        Assert.Equal(before + 3, (await clinic.Records.ReadChangesAsync(0, 10_000, default)).Count); // the appointment, its slot, its Provenance
        Assert.All(replies.Where(r => r.Status == 409), r => Assert.DoesNotContain("Patient", r.Text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Book_ParametersOfOtherDialects_AreRefusedByName()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        foreach (var name in new[] { "appt-id", "patient-id", "appointment", "slot", "appointmentNote", "whatever" })
        {
            var reply = await clinic.BookAsync(Parameters((name, Ref("Appointment/x"))));
            Assert.Equal(400, reply.Status);
            Assert.Contains(name, reply.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Book_ClientChosenId_IsNotTaken()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var body = Half(0);
        body["id"] = "my-own";
        var reply = await clinic.BookAsync(body);
        Assert.Equal(201, reply.Status);
        Assert.NotEqual("my-own", reply.Id);
    }
}
