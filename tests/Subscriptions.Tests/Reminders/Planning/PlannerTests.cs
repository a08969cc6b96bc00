using FhirCore.Messages;
using Subscriptions.Reminders.Records;
using Subscriptions.Tests.Reminders.Support;

namespace Subscriptions.Tests.Reminders.Planning;

/// <summary>From changes to plans, and from there to what people get.</summary>
public sealed class PlannerTests
{
    private const string Location = """{"resourceType":"Location","id":"room","name":"Oncology Ward 3","partOf":{"reference":"Location/site"}}""";

    private static string Site(string more = "") =>
        $$"""{"resourceType":"Location","id":"site","name":"Lindenhof Berlin","address":{"line":["Lindenstraße 12"],"postalCode":"10969","city":"Berlin"}{{more}}}""";

    [Fact]
    public async Task Booked_IsToldByPhoneAndMail_AndRemindersArePlanned()
    {
        using var room = await PostRoom.OpenAsync();
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-19T14:00"));
        await room.PlanAndSendAsync();

        Assert.StartsWith("Lindenhof: booked for Tue 19 May at 14:00. Reply C to confirm, X to cancel, STOP to end. https://clinic.example/m/", Assert.Single(room.Sms.Texts), StringComparison.Ordinal);
        var mail = Assert.Single(room.Mail.Taken).Message;
        Assert.Equal((A.Email, "You are booked for Tue 19 May at 14:00"), (mail.To, mail.Subject));
        Assert.StartsWith("text/calendar; method=PUBLISH", mail.File!.ContentType, StringComparison.Ordinal);
        Assert.Equal(3, mail.Text.Split("https://clinic.example/m/").Length - 1);
        Assert.Equal(["2026-05-12 14:00", "2026-05-18 14:00", "2026-05-19 12:00"], await DueAsync(room));

        await room.RunUntilAsync(Time("2026-05-20 00:00"));
        Assert.Equal(["booked for", "visit on", "visit on", "visit on"], room.Sms.Texts.Select(text => text.Split(": ")[1].Split(" Tue")[0]));
        Assert.Equal(["2026-05-01 10:00", "2026-05-12 14:00", "2026-05-18 14:00", "2026-05-19 12:00"], room.Sms.Taken.Select(taken => Local(taken.At)));
        Assert.Single(room.Mail.Taken);
    }

    /// <summary>A channel that the operator has not set up is as if nobody had such an address: who is told by another is not noted as not reached.</summary>
    [Theory]
    [InlineData(MessageChannelKind.Sms)]
    [InlineData(MessageChannelKind.Email)]
    public async Task Booked_OnlyOneChannelIsSetUp_IsToldByIt_AndNothingIsNotedOfTheOther(MessageChannelKind kind)
    {
        using var room = await PostRoom.OpenAsync(setUp: [kind]);
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-19T14:00"));
        await room.PlanAndSendAsync();
        Assert.Single((kind == MessageChannelKind.Sms ? room.Sms : room.Mail).Taken);
        Assert.Equal("completed", (string?)Assert.Single(await room.CommunicationsAsync())["status"]);
    }

    [Fact]
    public async Task Booked_NoChannelIsSetUp_ThatIsNotedOnce()
    {
        using var room = await PostRoom.OpenAsync(setUp: []);
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-19T14:00"));
        await room.PlanAndSendAsync();
        var note = Assert.Single(await room.CommunicationsAsync());
        Assert.Equal(("not-done", "no-address"), ((string?)note["status"], (string?)note["statusReason"]!["coding"]![0]!["code"]));
    }

    [Fact]
    public async Task Moved_IsTold_AndOldRemindersAreGone()
    {
        using var room = await PostRoom.OpenAsync();
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-19T14:00"));
        await room.PlanAndSendAsync();
        await room.PutAsync(A.Visit("2026-05-20T15:30"));
        await room.PlanAndSendAsync();

        Assert.StartsWith("Lindenhof: visit now on Wed 20 May at 15:30. Reply C", room.Sms.Texts.Last(), StringComparison.Ordinal);
        Assert.Equal(["2026-05-13 15:30", "2026-05-19 15:30", "2026-05-20 13:30"], await DueAsync(room));
        Assert.Equal([0, 1], room.Mail.Taken.Select(taken => Sequence(taken.Message)));
        Assert.Single(room.Mail.Taken.Select(taken => Uid(taken.Message)).Distinct());
    }

    [Fact]
    public async Task Cancelled_IsTold_AndNothingElseGoesOut()
    {
        using var room = await PostRoom.OpenAsync();
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-19T14:00"));
        await room.PlanAndSendAsync();
        await room.PutAsync(A.Visit("2026-05-19T14:00", status: "cancelled"));
        await room.PlanAndSendAsync();

        Assert.Equal("Lindenhof: your visit on Tue 19 May at 14:00 is cancelled. Questions: +49 30 23125 000.", room.Sms.Texts.Last());
        Assert.StartsWith("text/calendar; method=CANCEL", room.Mail.Taken.Last().Message.File!.ContentType, StringComparison.Ordinal);
        Assert.DoesNotContain("/m/", room.Mail.Texts.Last(), StringComparison.Ordinal);
        await room.RunUntilAsync(Time("2026-05-20 00:00"));
        Assert.Equal((2, 2), (room.Sms.Taken.Count, room.Mail.Taken.Count));
        Assert.All(await room.MessagesAsync(), message => Assert.Equal(MessageState.Done, message.State));
    }

    [Theory]
    [InlineData("entered-in-error")]
    [InlineData(null)]
    public async Task WithdrawnOtherwise_IsToldAsCancelled(string? status)
    {
        using var room = await PostRoom.OpenAsync();
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-19T14:00"));
        await room.PlanAndSendAsync();
        await (status is null ? room.DeleteAsync("Appointment/v1") : room.PutAsync(A.Visit("2026-05-19T14:00", status: status)));
        await room.PlanAndSendAsync();
        Assert.Contains("is cancelled", room.Sms.Texts.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task SeveralVersionsAtOnce_AreToldOnce()
    {
        using var room = await PostRoom.OpenAsync();
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-19T14:00"));
        await room.PutAsync(A.Visit("2026-05-20T15:00"));
        await room.PutAsync(A.Visit("2026-05-21T16:00"));
        await room.PlanAndSendAsync();
        Assert.Contains("booked for Thu 21 May at 16:00", Assert.Single(room.Sms.Texts), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ChangedBeforeItWasTold_IsToldAsItIs()
    {
        using var room = await PostRoom.OpenAsync();
        room.Clock.SetUtcNow(Time("2026-05-01 22:00")); // nobody's phone rings before morning
        await room.PutAsync(A.Patient(telecom: """{"system":"sms","value":"+4915112345678"}"""));
        await room.PutAsync(A.Visit("2026-05-19T14:00"));
        await room.PlanAndSendAsync();
        await room.PutAsync(A.Visit("2026-05-20T15:00"));
        await room.PlanAndSendAsync();
        Assert.Empty(room.Sms.Texts);
        await room.RunUntilAsync(Time("2026-05-02 09:00"));
        Assert.Contains("booked for Wed 20 May at 15:00", Assert.Single(room.Sms.Texts), StringComparison.Ordinal);
        Assert.Equal("2026-05-02 08:00", Local(Assert.Single(room.Sms.Taken).At));

        await room.PutAsync(A.Visit("2026-06-19T14:00", id: "v2"));
        room.Clock.SetUtcNow(Time("2026-05-02 23:00"));
        await room.PlanAndSendAsync();
        await room.PutAsync(A.Visit("2026-06-19T14:00", id: "v2", status: "cancelled"));
        await room.PlanAndSendAsync();
        await room.RunUntilAsync(Time("2026-05-03 12:00"));
        Assert.Single(room.Sms.Texts); // booked and cancelled in one night: nobody needs to know
    }

    [Fact]
    public async Task SameEventsAgain_ChangeNothing()
    {
        using var room = await PostRoom.OpenAsync();
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-19T14:00"));
        await room.PlanAndSendAsync();
        var before = await room.MessagesAsync();
        var rows = await room.Raw.ReadJournalAsync(0, 100, default);
        var progress = await FhirCore.Events.EventProgress.ReadAsync(room.Raw, FhirCore.Events.EventProgress.KeyOf("reminders", "all"), default);
        await room.Planner.HandleAsync(new("all", [.. rows.Select(row => new FhirCore.Events.ResourceEvent(row.Change, row.Version))], progress.To(progress.Sequence, 0, 0, room.Now).Write), default);
        await room.SendAsync();
        Assert.Equal(before.Count, (await room.MessagesAsync()).Count);
        Assert.Single(room.Sms.Taken);
    }

    [Fact]
    public async Task OtherChanges_SayNothing()
    {
        using var room = await PostRoom.OpenAsync();
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-19T14:00"));
        await room.PlanAndSendAsync();
        await room.PutAsync(A.Visit("2026-05-19T14:00", more: ""","comment":"bring X-rays","reasonCode":[{"text":"F32.1 depression"}]"""));
        await room.PlanAndSendAsync();
        Assert.Single(room.Sms.Taken);
        Assert.Equal(["2026-05-12 14:00", "2026-05-18 14:00", "2026-05-19 12:00"], await DueAsync(room));
    }

    [Fact]
    public async Task Imported_GetsRemindersButNoNews()
    {
        using var room = await PostRoom.OpenAsync();
        await room.PutAsync(A.Patient(), "import");
        await room.PutAsync(A.Visit("2026-05-19T14:00"), "import");
        await room.PlanAndSendAsync();
        Assert.Empty(room.Sms.Taken);
        Assert.Equal(3, (await DueAsync(room)).Count);
        await room.PutAsync(A.Visit("2026-05-19T15:00")); // what happens to it from now on is news
        await room.PlanAndSendAsync();
        Assert.Contains("now on", Assert.Single(room.Sms.Texts), StringComparison.Ordinal);
    }

    [Fact]
    public async Task BookedBeforeTheServerBegan_IsNoNews_AndOldRemindersAreNotMadeUpFor()
    {
        using var room = await PostRoom.OpenAsync();
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-06T14:00"));
        room.Clock.Advance(TimeSpan.FromHours(3));
        await room.PlanAndSendAsync();
        Assert.Empty(room.Sms.Taken);
        Assert.Equal(["2026-05-05 14:00", "2026-05-06 12:00"], await DueAsync(room));
    }

    [Fact]
    public async Task AfterALongOutage_OldNewsIsNotTold()
    {
        using var room = await PostRoom.OpenAsync();
        await room.PlanAsync();
        await room.PutAsync(A.Patient());
        await room.PlanAsync();
        await room.PutAsync(A.Visit("2026-05-19T14:00"));
        room.Clock.Advance(TimeSpan.FromDays(2));
        await room.PlanAndSendAsync();
        Assert.Empty(room.Sms.Taken);
        Assert.Equal(3, (await DueAsync(room)).Count);
    }

    [Theory]
    [InlineData("pending")]
    [InlineData("proposed")]
    [InlineData("waitlist")]
    [InlineData("noshow")]
    [InlineData("fulfilled")]
    public async Task NotBooked_IsNotSpokenOf(string status)
    {
        using var room = await PostRoom.OpenAsync();
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-19T14:00", status: status));
        await room.PlanAndSendAsync();
        Assert.Empty(await room.MessagesAsync());
    }

    [Fact]
    public async Task Arrived_EndsReminders_WithoutAWord()
    {
        using var room = await PostRoom.OpenAsync();
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-19T14:00"));
        await room.PlanAndSendAsync();
        await room.PutAsync(A.Visit("2026-05-19T14:00", status: "arrived"));
        await room.PlanAndSendAsync();
        Assert.Single(room.Sms.Taken);
        Assert.Empty(await DueAsync(room));
    }

    [Fact]
    public async Task Patient_DecidesWhenAndHow()
    {
        using var room = await PostRoom.OpenAsync();
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-19T14:00"));
        await room.PlanAndSendAsync();
        await room.PutAsync(A.Patient(more: A.Extensions(A.Reminders("before 3 d", "before 90 min", "channel email", "channel sms"))));
        await room.PlanAsync();
        Assert.Equal(["2026-05-16 14:00", "2026-05-19 12:30"], await DueAsync(room));
        await room.RunUntilAsync(Time("2026-05-17 00:00"));
        Assert.Equal("Your visit on Tue 19 May at 14:00", room.Mail.Taken.Last().Message.Subject);

        await room.PutAsync(A.Patient(more: A.Extensions(A.Reminders("off"))));
        await room.PlanAsync();
        Assert.Empty(await DueAsync(room));
    }

    [Fact]
    public async Task Patient_IsRemindedAtTheirOwnTimeOfDay_OfTheTimeAtThePlace()
    {
        using var room = await PostRoom.OpenAsync(PostRoom.Usual with { TimeZone = "Etc/UTC" });
        await room.PutAsync(Site(A.Extensions(A.Zone("Europe/Berlin"))));
        await room.PutAsync(A.Patient(more: A.Extensions(A.Zone("America/New_York"))));
        await room.PutAsync(A.Visit("2026-05-19T11:30", participants: A.With("Location/site")));
        await room.PlanAndSendAsync();
        Assert.Empty(room.Sms.Texts); // it is four in the morning there
        await room.RunUntilAsync(Time("2026-05-01 14:00"));
        Assert.Contains("at 11:30", Assert.Single(room.Sms.Texts), StringComparison.Ordinal);
        // 11:30 in Berlin is 05:30 in New York, where nobody is woken: the evening before, for the two hours; the morning, for the others.
        Assert.Equal(["2026-05-12 14:00", "2026-05-18 14:00", "2026-05-19 02:30"], await DueAsync(room));
        Assert.Equal("08:00", (await room.MessagesAsync()).Where(m => m.State == MessageState.Pending).Min(m => m.Due).ToOffset(TimeSpan.FromHours(-4)).ToString("HH:mm", System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Place_DecidesForItsVisits_AndTheyFollowItsChanges()
    {
        using var room = await PostRoom.OpenAsync();
        await room.PutAsync(Site());
        await room.PutAsync(Location);
        await room.PutAsync(A.Patient());
        for (var i = 0; i < 150; i++)
        {
            await room.PutAsync(A.Visit("2026-05-19T14:00", id: $"v{i}", participants: A.With("Location/room")));
        }
        await room.PlanAsync();
        Assert.Equal(450, (await DueAsync(room)).Count);
        await room.PutAsync(Site(A.Extensions(A.Reminders("before 5 h"))));
        await room.PlanAsync();
        Assert.Equal(["2026-05-19 09:00"], (await DueAsync(room)).Distinct());
        Assert.Equal(150, (await DueAsync(room)).Count);
    }

    [Fact]
    public async Task Service_ThatWantsNoMessages_GetsNone()
    {
        using var room = await PostRoom.OpenAsync();
        await room.PutAsync($$"""{"resourceType":"HealthcareService","id":"s"{{A.Extensions(A.Reminders("off"))}}}""");
        await room.PutAsync("""{"resourceType":"Schedule","id":"sched","actor":[{"reference":"HealthcareService/s"}]}""");
        await room.PutAsync("""{"resourceType":"Slot","id":"slot","schedule":{"reference":"Schedule/sched"},"status":"busy","start":"2026-05-19T14:00:00+02:00","end":"2026-05-19T14:30:00+02:00"}""");
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-19T14:00", more: ""","slot":[{"reference":"Slot/slot"}]"""));
        await room.PlanAndSendAsync();
        Assert.Empty(await room.MessagesAsync());
    }

    [Theory]
    [InlineData(""","deceasedBoolean":true""")]
    [InlineData(""","deceasedDateTime":"2026-05-02" """)]
    public async Task TheDead_AreNotReminded(string more)
    {
        using var room = await PostRoom.OpenAsync();
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-19T14:00"));
        await room.PlanAndSendAsync();
        await room.PutAsync(A.Patient(more: more));
        await room.SendAsync();
        await room.RunUntilAsync(Time("2026-05-13 00:00")); // also where the planner has not seen it yet
        Assert.Single(room.Sms.Taken);
        await room.PlanAsync();
        Assert.Empty(await DueAsync(room));
    }

    [Fact]
    public async Task Russian_IsWrittenTo_WhoSpeaksIt()
    {
        using var room = await PostRoom.OpenAsync();
        await room.PutAsync(A.Patient(more: A.Language("ru-RU")));
        await room.PutAsync(A.Visit("2026-05-19T14:00"));
        await room.PlanAndSendAsync();
        Assert.StartsWith("Lindenhof: вы записаны на вт 19 мая в 14:00. Ответьте С - подтвердить", Assert.Single(room.Sms.Texts), StringComparison.Ordinal);
        Assert.Equal("Вы записаны на вт 19 мая в 14:00", Assert.Single(room.Mail.Taken).Message.Subject);
    }

    [Fact]
    public async Task Practitioner_IsToldOnce_WhetherByThemselvesOrByTheirRole()
    {
        using var room = await PostRoom.OpenAsync();
        await room.PutAsync("""{"resourceType":"Practitioner","id":"dr","active":true,"telecom":[{"system":"email","value":"dr@clinic.example"}]}""");
        await room.PutAsync("""{"resourceType":"PractitionerRole","id":"role","active":true,"practitioner":{"reference":"Practitioner/dr"},"telecom":[{"system":"email","value":"desk@clinic.example"}]}""");
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-19T14:00", participants: A.With("Practitioner/dr") + A.With("PractitionerRole/role")));
        await room.PlanAndSendAsync();
        var mail = Assert.Single(room.Mail.Taken, taken => taken.Message.To != A.Email).Message;
        Assert.Equal(("desk@clinic.example", "New visit on Tue 19 May at 14:00"), (mail.To, mail.Subject));
        Assert.DoesNotContain("/m/", mail.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Secret", mail.Text + mail.Html + mail.Subject, StringComparison.Ordinal);

        await room.PutAsync(A.Visit("2026-05-19T14:00")); // somebody else takes the patient
        await room.PlanAndSendAsync();
        Assert.Equal("Cancelled: visit on Tue 19 May at 14:00", room.Mail.Taken.Last().Message.Subject);
        Assert.Equal("dr@clinic.example", room.Mail.Taken.Last().Message.To);
    }

    [Fact]
    public async Task Practitioner_WhoAsksForQuiet_IsNotTold()
    {
        using var room = await PostRoom.OpenAsync();
        await room.PutAsync($$"""{"resourceType":"Practitioner","id":"dr","telecom":[{"system":"email","value":"dr@clinic.example"}]{{A.Extensions("""{"url":"urn:fhir-server:staff-messages","valueCode":"no-notices"}""")}}}""");
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-19T14:00", participants: A.With("Practitioner/dr")));
        await room.PlanAndSendAsync();
        Assert.Equal(A.Email, Assert.Single(room.Mail.Taken).Message.To);
    }

    [Fact]
    public async Task Patients_OfOneVisit_AreEachTold_AndWhoLeavesToo()
    {
        using var room = await PostRoom.OpenAsync();
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Patient("ben", """{"system":"sms","value":"+4915199999999"}"""));
        await room.PutAsync(A.Visit("2026-05-19T14:00", participants: A.With("Patient/ben")));
        await room.PlanAndSendAsync();
        Assert.Equal([A.Mobile, "+4915199999999"], room.Sms.Taken.Select(taken => taken.Message.To).Order());
        await room.PutAsync(A.Visit("2026-05-19T14:00", participants: A.With("Patient/ben", "declined")));
        await room.PlanAndSendAsync();
        Assert.Equal("+4915199999999", room.Sms.Taken.Last().Message.To);
        Assert.Contains("is cancelled", room.Sms.Texts.Last(), StringComparison.Ordinal);
        Assert.Equal(3, (await DueAsync(room)).Count);
    }

    [Fact]
    public async Task AnotherPlace_IsAChange()
    {
        using var room = await PostRoom.OpenAsync();
        await room.PutAsync(Site());
        await room.PutAsync("""{"resourceType":"Location","id":"other","address":{"line":["Am See 1"],"city":"Potsdam"}}""");
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-19T14:00", participants: A.With("Location/site")));
        await room.PlanAndSendAsync();
        Assert.Contains("Place: Lindenstraße 12, 10969 Berlin", room.Mail.Texts.Last(), StringComparison.Ordinal);
        await room.PutAsync(A.Visit("2026-05-19T14:00", participants: A.With("Location/other")));
        await room.PlanAndSendAsync();
        Assert.Contains("Place: Am See 1, Potsdam", room.Mail.Texts.Last(), StringComparison.Ordinal);
        Assert.Equal(2, room.Sms.Taken.Count);
    }

    [Fact]
    public async Task Digest_ComesEveryMorning_ToWhoAsksForIt()
    {
        using var room = await PostRoom.OpenAsync(PostRoom.Usual with { StaffNotices = false });
        await room.PutAsync($$"""{"resourceType":"PractitionerRole","id":"role","practitioner":{"reference":"Practitioner/dr"},"telecom":[{"system":"email","value":"dr@clinic.example"}]{{A.Extensions("""{"url":"urn:fhir-server:staff-messages","valueCode":"digest"}""")}}}""");
        await room.PutAsync("""{"resourceType":"Practitioner","id":"dr"}""");
        await room.PutAsync(A.Patient(telecom: ""));
        await room.PutAsync(A.Visit("2026-05-04T09:30", id: "b", participants: A.With("Practitioner/dr")));
        await room.PutAsync(A.Visit("2026-05-04T08:30", id: "a", participants: A.With("PractitionerRole/role") + A.With("Practitioner/dr")));
        await room.PutAsync(A.Visit("2026-05-06T08:30", id: "c", participants: A.With("Practitioner/dr")));
        await room.PutAsync(A.Visit("2026-05-04T11:30", id: "d", status: "cancelled", participants: A.With("Practitioner/dr")));
        await room.PlanAsync();
        await room.RunUntilAsync(Time("2026-05-08 00:00"));
        Assert.Equal(["2026-05-04 07:00", "2026-05-06 07:00"], room.Mail.Taken.Select(taken => Local(taken.At)));
        Assert.Equal("Your visits on Mon 4 May", room.Mail.Taken[0].Message.Subject);
        Assert.Equal("Your visits on Monday, 4 May 2026: 2.\n\n08:30 – 09:00\n09:30 – 10:00", room.Mail.Texts.First());
        Assert.NotEqual(room.Mail.Taken[0].Message.Id, room.Mail.Taken[1].Message.Id);

        await room.PutAsync("""{"resourceType":"PractitionerRole","id":"role","practitioner":{"reference":"Practitioner/dr"},"telecom":[{"system":"email","value":"dr@clinic.example"}]}""");
        await room.PlanAsync();
        Assert.DoesNotContain(await room.MessagesAsync(), message => message.Topic == MessageTopic.Digest);
    }

    [Theory]
    [InlineData(true, 4)]
    [InlineData(false, 3)]
    [InlineData(null, 3)] // nothing can be said of it
    public async Task LikelyToBeMissed_IsRemindedOnceMore(bool? isHigh, int reminders)
    {
        using var room = await PostRoom.OpenAsync(PostRoom.Usual with { BeforeAtHighRisk = [TimeSpan.FromDays(3)], Notices = false });
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-19T14:00"));
        await room.PlanAsync();
        room.Risk.IsHigh = isHigh; // asked when it would go out, not when it is planned
        await room.RunUntilAsync(Time("2026-05-20 00:00"));
        Assert.Equal(reminders, room.Sms.Taken.Count);
        Assert.Equal(isHigh is true, room.Sms.Taken.Any(taken => Local(taken.At) == "2026-05-16 14:00"));
        Assert.Equal(reminders, (await room.CommunicationsAsync()).Count);
        Assert.All(await room.MessagesAsync(), message => Assert.Equal(MessageState.Done, message.State));
    }

    [Fact]
    public async Task LikelyToBeMissed_ButThePatientSaidWhen_IsLeftInPeace()
    {
        using var room = await PostRoom.OpenAsync(PostRoom.Usual with { BeforeAtHighRisk = [TimeSpan.FromDays(3)], Notices = false });
        room.Risk.IsHigh = true;
        await room.PutAsync(A.Patient(more: A.Extensions(A.Reminders("before 2 h"))));
        await room.PutAsync(A.Visit("2026-05-19T14:00"));
        await room.PlanAsync();
        Assert.Equal(["2026-05-19 12:00"], await DueAsync(room));
    }

    /// <summary>Another process had read the place before it changed, and plans after everybody who rests on it was planned anew.</summary>
    [Fact]
    public async Task PlaceThatChangedInAnothersSight_IsReadAgain()
    {
        using var room = await PostRoom.OpenAsync();
        using var other = await room.AnotherAsync();
        await room.PutAsync(Site(A.Extensions(A.Reminders("before 2 h"))));
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-19T14:00", id: "first", participants: A.With("Location/site")));
        await other.PlanAsync();
        await room.PutAsync(Site(A.Extensions(A.Reminders("before 3 h"))));
        await room.PlanAsync();
        await room.PutAsync(A.Visit("2026-05-20T14:00", id: "second", participants: A.With("Location/site")));
        await other.PlanAsync();
        Assert.Equal(["2026-05-19 11:00", "2026-05-20 11:00"], await DueAsync(room));
    }

    /// <summary>The change of a patient is followed while another process is about to commit a plan that knows nothing of it.</summary>
    [Fact]
    public async Task PatientWhoChangesWhileTheyArePlannedFor_IsPlannedForAsTheyAreNow()
    {
        var store = new HookedStore(new Storage.Contract.InMemoryRecordStore());
        using var room = await PostRoom.OpenAsync(store: store);
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-19T14:00"));
        using var planner = await room.AnotherAsync(); // sees the visit, and not the change that comes between
        var isFirst = true;
        store.BeforeCommit = commit =>
        {
            if (isFirst && commit.Writes.Any(write => write.Record.Key.Type == ReminderRecords.PlanType))
            {
                isFirst = false;
                room.PutAsync(A.Patient(more: A.Extensions(A.Reminders("before 2 h")))).GetAwaiter().GetResult();
                Assert.Empty(room.MessagesAsync().GetAwaiter().GetResult());
            }
        };
        var planned = new List<string>();
        store.AfterCommit = async commit =>
        {
            if (commit.Writes.Any(write => write.Record.Key.Type == ReminderRecords.PlanType) && planned.Count == 0)
            {
                planned.AddRange(await DueAsync(room));
            }
        };
        await planner.PlanAsync();
        Assert.False(isFirst);
        Assert.Equal(["2026-05-19 12:00"], planned); // by the very first plan: whoever followed the change found none to make anew
    }

    private static async Task<List<string>> DueAsync(PostRoom room) =>
        [.. (await room.MessagesAsync()).Where(message => message is { State: MessageState.Pending, Topic: MessageTopic.Reminder }).OrderBy(message => message.Due).Select(message => Local(message.Due))];

    private static string Local(DateTimeOffset at) => at.ToOffset(TimeSpan.FromHours(2)).ToString("yyyy-MM-dd HH:mm", System.Globalization.CultureInfo.InvariantCulture);

    private static DateTimeOffset Time(string local) => DateTimeOffset.ParseExact(local + " +02:00", "yyyy-MM-dd HH:mm zzz", System.Globalization.CultureInfo.InvariantCulture);

    private static int Sequence(OutgoingMessage mail) => Event(mail).Sequence;

    private static string? Uid(OutgoingMessage mail) => Event(mail).Uid;

    private static Ical.Net.CalendarComponents.CalendarEvent Event(OutgoingMessage mail) => Assert.Single(Ical.Net.Calendar.Load(System.Text.Encoding.UTF8.GetString(mail.File!.Content.Span))!.Events)!;
}
