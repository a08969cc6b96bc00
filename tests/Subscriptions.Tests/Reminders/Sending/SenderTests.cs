using System.Text.Json.Nodes;
using FhirCore.Messages;
using FhirCore.Records;
using Subscriptions.Reminders.Planning;
using Subscriptions.Reminders.Records;
using Subscriptions.Tests.Reminders.Support;
using A = Subscriptions.Tests.Reminders.Support.A;

namespace Subscriptions.Tests.Reminders.Sending;

/// <summary>What becomes of messages when providers, people and machines do what they do. The numbers are those of the list of promises.</summary>
public sealed class SenderTests
{
    private const string PhoneOnly = $$"""{"system":"sms","value":"{{A.Mobile}}"}""";
    private static readonly DateTimeOffset DayBefore = new(2026, 5, 18, 14, 0, 0, TimeSpan.FromHours(2));
    private static readonly DateTimeOffset Start = new(2026, 5, 19, 14, 0, 0, TimeSpan.FromHours(2));

    /// <summary>A booked visit whose booking was told; the clock stands where the reminder of the day before is due.</summary>
    /// <param name="others">Resources that were there before, too.</param>
    private static async Task<PostRoom> DueAsync(string telecom = PhoneOnly, Subscriptions.Reminders.ReminderOptions? options = null, IRecordStore? store = null, params string[] others)
    {
        var room = await PostRoom.OpenAsync((options ?? PostRoom.Usual) with { Before = [TimeSpan.FromDays(1)] }, store);
        await room.PutAsync(A.Patient(telecom: telecom));
        await room.PutAsync(A.Visit("2026-05-19T14:00"), "import"); // nothing was said of it yet
        foreach (var other in others)
        {
            await room.PutAsync(other, "import");
        }
        await room.PlanAsync();
        room.Clock.SetUtcNow(DayBefore);
        return room;
    }

    [Fact]
    public async Task R01_KilledBetweenSendAndMark_IsFoundAtTheProvider_AndNotSentAgain()
    {
        using var room = await DueAsync();
        room.Sms.AfterTaking = _ => throw new KilledException();
        await Assert.ThrowsAsync<KilledException>(room.SendAsync);
        room.Sms.AfterTaking = static _ => { };

        using var restarted = await room.AnotherAsync();
        await restarted.SendAsync();
        Assert.Empty(await restarted.CommunicationsAsync()); // left alone: somebody may be at it
        await restarted.RunUntilAsync(DayBefore.AddMinutes(5));
        Assert.Equal((1, 1), (room.Sms.Taken.Count, room.Sms.Questions));
        var written = Assert.Single(await restarted.CommunicationsAsync());
        Assert.Equal(("completed", "Sms-1"), ((string?)written["status"], (string?)written["identifier"]![1]!["value"]));
    }

    [Fact]
    public async Task R01_KilledBeforeSending_IsSentAfterTheRestart()
    {
        using var room = await DueAsync();
        room.Sms.Answers = _ => throw new KilledException();
        await Assert.ThrowsAsync<KilledException>(room.SendAsync);
        room.Sms.Answers = static _ => null;
        using var restarted = await room.AnotherAsync();
        await restarted.RunUntilAsync(DayBefore.AddMinutes(5));
        Assert.Equal((1, 1), (room.Sms.Taken.Count, room.Sms.Questions));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public async Task R01_WhereTheProviderCannotTell_AtMostOneIsExtra(int kills)
    {
        using var room = await DueAsync($$"""{"system":"email","value":"{{A.Email}}"}""");
        var left = kills;
        room.Mail.AfterTaking = _ =>
        {
            if (left-- > 0)
            {
                throw new KilledException();
            }
        };
        for (var i = 0; i < 8; i++)
        {
            using var restarted = await room.AnotherAsync();
            try
            {
                await restarted.RunUntilAsync(room.Now.AddMinutes(3));
            }
            catch (KilledException)
            {
                // And on again.
            }
        }
        Assert.Equal(2, room.Mail.Taken.Count);
        Assert.Single(room.Mail.Taken.Select(taken => taken.Message.Id).Distinct()); // one Message-ID: mail programs show one
        Assert.Equal(kills == 1 ? "completed" : "unknown", (string?)Assert.Single(await room.CommunicationsAsync())["status"]);
        Assert.All(await room.MessagesAsync(), message => Assert.Equal(MessageState.Done, message.State));
    }

    [Fact]
    public async Task R01_ProviderDoesNotAnswerTheQuestion_NothingIsSentBlindly()
    {
        using var room = await DueAsync();
        room.Sms.Answers = _ => new MessageResult.Unknown("taken");
        room.Sms.Found = _ => new MessageResult.Unknown("timeout");
        await room.RunUntilAsync(DayBefore.AddHours(1));
        room.Sms.Answers = static _ => null;
        Assert.Equal(1, room.Sms.Attempts);
        Assert.InRange(room.Sms.Questions, 3, 30);
        room.Sms.Found = static _ => null;
        await room.RunUntilAsync(DayBefore.AddHours(2));
        Assert.Equal((1, "completed"), (room.Sms.Attempts, (string?)Assert.Single(await room.CommunicationsAsync())["status"]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task R02_BusyProvider_IsTriedEverMoreSeldom_UntilTheVisitBegins(bool says)
    {
        using var room = await DueAsync();
        var attempts = new List<DateTimeOffset>();
        room.Sms.Answers = _ =>
        {
            attempts.Add(room.Now);
            return new MessageResult.Later("503", says ? TimeSpan.FromHours(2) : null);
        };
        await room.RunUntilAsync(Start.AddHours(2));
        Assert.All(attempts, at => Assert.True(at < Start));
        var gaps = attempts.Zip(attempts.Skip(1), (a, b) => b - a).ToArray();
        Assert.True(says ? attempts.Count is >= 5 and <= 9 : attempts.Count is >= 50 and <= 110, $"{attempts.Count} attempts");
        Assert.All(gaps.Take(1), gap => Assert.InRange(gap, says ? TimeSpan.FromHours(2) : TimeSpan.FromSeconds(10), says ? TimeSpan.FromHours(12) : TimeSpan.FromSeconds(20)));
        if (!says)
        {
            Assert.Equal(1, gaps.Count(gap => gap > TimeSpan.FromMinutes(15))); // the night
            Assert.InRange(gaps.Where(gap => gap <= TimeSpan.FromMinutes(15)).Max(), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(15));
            Assert.True(gaps.Select(gap => gap.Ticks).Distinct().Count() > gaps.Length / 2, "no jitter");
        }
        var written = Assert.Single(await room.CommunicationsAsync());
        Assert.Equal(("not-done", "too-late", "503"), ((string?)written["status"], (string?)written["statusReason"]!["coding"]![0]!["code"], (string?)written["statusReason"]!["text"]));
        Assert.Null(written["sent"]);
    }

    [Fact]
    public async Task R02_NightFallsMeanwhile_NobodyIsWoken()
    {
        using var room = await DueAsync();
        var attempts = new List<DateTimeOffset>();
        room.Sms.Answers = _ =>
        {
            attempts.Add(room.Now.ToOffset(TimeSpan.FromHours(2)));
            return new MessageResult.Later("503", null);
        };
        await room.RunUntilAsync(Start);
        Assert.DoesNotContain(attempts, at => at.TimeOfDay >= TimeSpan.FromHours(21) || at.TimeOfDay < TimeSpan.FromHours(8));
        Assert.Contains(attempts, at => at.Day == 19);
    }

    [Fact]
    public async Task R02_BusyForLong_TheNextChannelIsTaken()
    {
        using var room = await DueAsync($$"""{{PhoneOnly}},{"system":"email","value":"{{A.Email}}"}""");
        room.Sms.Answers = _ => new MessageResult.Later("429", null);
        await room.RunUntilAsync(DayBefore.AddHours(3));
        Assert.Equal((5, 1), (room.Sms.Attempts, room.Mail.Taken.Count));
        Assert.Equal(["completed email", "not-done sms"], (await room.CommunicationsAsync()).Select(Told).Order());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task R03_OptedOut_StopsEverythingToTheNumber_AndOnlyThat(bool byReply)
    {
        // A child has the parent's number.
        using var room = await DueAsync($$"""{{PhoneOnly}},{"system":"email","value":"{{A.Email}}"}""", null, null,
            A.Patient("twin", PhoneOnly), A.Visit("2026-05-19T18:00", id: "v2", patient: "twin"), A.Visit("2026-05-25T14:00", id: "v3", patient: "twin"));
        if (byReply)
        {
            Assert.Null((await room.Room.Replies.ReadAsync("SM1", A.Mobile, " stop ", default)).Answer);
        }
        else
        {
            room.Sms.Answers = _ => new MessageResult.Refused(MessageRefusal.OptedOut, "21610");
        }
        await room.RunUntilAsync(DayBefore.AddDays(8));
        Assert.Equal(byReply ? 0 : 1, room.Sms.Attempts); // never asked again
        Assert.Equal(A.Email, Assert.Single(room.Mail.Taken).Message.To);
        Assert.Equal(2, (await room.CommunicationsAsync()).Count(c => (string?)c["subject"]!["reference"] == "Patient/twin" && (string?)c["statusReason"]!["coding"]![0]!["code"] == "opted-out"));

        room.Sms.Answers = static _ => null;
        await room.Room.Replies.ReadAsync("SM2", A.Mobile, "START", default);
        await room.PutAsync(A.Visit("2026-06-05T14:00", id: "v4", patient: "twin"), "import");
        await room.PlanAsync();
        await room.RunUntilAsync(DayBefore.AddDays(30));
        Assert.Contains("Fri 5 Jun", Assert.Single(room.Sms.Texts), StringComparison.Ordinal);
    }

    [Fact]
    public async Task R03_StopBetweenLookAndClaim_Wins()
    {
        var hooked = new HookedStore(new Storage.Contract.InMemoryRecordStore());
        using var room = await DueAsync(store: hooked);
        var stopped = false;
        hooked.BeforeCommit = commit =>
        {
            if (!stopped && commit.Writes.Any(write => write.Record.Key.Type == ReminderRecords.MessageType))
            {
                stopped = true;
                room.Room.Replies.ReadAsync("SM1", A.Mobile, "STOP", default).GetAwaiter().GetResult();
            }
        };
        await room.SendAsync();
        Assert.True(stopped);
        Assert.Equal(0, room.Sms.Attempts);
    }

    [Theory]
    [InlineData("cancelled", "2026-05-19T14:00")]
    [InlineData("booked", "2026-05-20T09:00")]
    public async Task R04_ChangedAMomentBeforeSending_OldTextIsNotSent(string status, string start)
    {
        var hooked = new HookedStore(new Storage.Contract.InMemoryRecordStore());
        using var room = await DueAsync(store: hooked);
        hooked.AfterCommit = async commit =>
        {
            // Behind the claim, before the provider is called: the narrowest place there is.
            if (commit.Writes.Any(write => write.Record.Key.Type == ReminderRecords.MessageType && write.Cause == "update"))
            {
                hooked.AfterCommit = static _ => Task.CompletedTask;
                await room.PutAsync(A.Visit(start, status: status));
            }
        };
        await room.SendAsync();
        Assert.Equal(0, room.Sms.Attempts);
        await room.PlanAndSendAsync();
        Assert.DoesNotContain(room.Sms.Texts, text => text.Contains("visit on Tue 19 May at 14:00.", StringComparison.Ordinal));
        Assert.Contains(status == "booked" ? "Wed 20 May at 09:00" : "is cancelled", Assert.Single(room.Sms.Texts), StringComparison.Ordinal);
    }

    [Fact]
    public async Task R04_ChangedBetweenLookAndClaim_OldTextIsNotSent()
    {
        var hooked = new HookedStore(new Storage.Contract.InMemoryRecordStore());
        using var room = await DueAsync(store: hooked);
        hooked.BeforeCommit = commit =>
        {
            if (commit.Writes.Any(write => write.Record.Key.Type == ReminderRecords.MessageType))
            {
                hooked.BeforeCommit = static _ => { };
                room.PutAsync(A.Visit("2026-05-19T14:00", status: "cancelled")).GetAwaiter().GetResult();
            }
        };
        await room.SendAsync();
        Assert.Equal(0, room.Sms.Attempts);
        Assert.Empty(await room.CommunicationsAsync());
    }

    [Fact]
    public async Task R04_OtherChangesInThatMoment_DelayNothing()
    {
        var hooked = new HookedStore(new Storage.Contract.InMemoryRecordStore());
        using var room = await DueAsync(store: hooked);
        hooked.AfterCommit = async commit =>
        {
            if (commit.Writes.Any(write => write.Record.Key.Type == ReminderRecords.MessageType && write.Cause == "update"))
            {
                hooked.AfterCommit = static _ => Task.CompletedTask;
                await room.PutAsync(A.Visit("2026-05-19T14:00", more: ""","comment":"x" """));
            }
        };
        await room.SendAsync();
        Assert.Single(room.Sms.Taken);
    }

    [Fact]
    public async Task R05_AppIsGone_ItsTokenGoes_AndAnSmsComesOnce()
    {
        using var room = await DueAsync($$"""{{PhoneOnly}},{"system":"email","value":"{{A.Email}}"}""");
        Assert.Null(await room.Room.Devices.RegisterAsync("anna", "token-1", default));
        Assert.Null(await room.Room.Devices.RegisterAsync("anna", "token-2", default));
        room.Push.Answers = _ => new MessageResult.Refused(MessageRefusal.BadAddress, "UNREGISTERED");
        await room.RunUntilAsync(DayBefore.AddHours(3));
        Assert.Equal((2, 1, 0), (room.Push.Attempts, room.Sms.Taken.Count, room.Mail.Attempts));
        Assert.False(await room.Records.Devices.AnyAsync(Predicate.Everything, default));
        Assert.Equal(["completed sms", "not-done push"], (await room.CommunicationsAsync()).Select(Told).Order());
    }

    [Fact]
    public async Task R05_OneOfTwoAppsIsGone_TheOtherIsEnough()
    {
        using var room = await DueAsync();
        await room.Room.Devices.RegisterAsync("anna", "old", default);
        await room.Room.Devices.RegisterAsync("anna", "new", default);
        room.Push.Answers = message => message.To == "old" ? new MessageResult.Refused(MessageRefusal.BadAddress, "UNREGISTERED") : null;
        await room.SendAsync();
        Assert.Equal("new", Assert.Single(room.Push.Taken).Message.To);
        Assert.Equal(0, room.Sms.Attempts);
        Assert.Equal("new", Assert.Single(await room.Records.Devices.QueryAsync(Predicate.Everything, default).ToListAsync()).Value.Token);
    }

    [Fact]
    public async Task R06_Allowance_HoldsUpReminders_ButNotWhatHasChanged()
    {
        using var room = await PostRoom.OpenAsync(PostRoom.Usual with { Sms = new(1, 3) });
        await room.PutAsync(A.Patient(telecom: PhoneOnly));
        await room.PutAsync(A.Visit("2026-05-03T14:00"));
        await room.PlanAndSendAsync(); // booked, on the first
        await room.RunUntilAsync(new(2026, 5, 3, 13, 0, 0, TimeSpan.FromHours(2)));
        Assert.Equal([1, 2, 3], room.Sms.Taken.Select(taken => taken.At.Day));
        await room.PutAsync(A.Visit("2026-05-09T14:00"));
        await room.PlanAsync();
        await room.RunUntilAsync(new(2026, 5, 10, 0, 0, 0, TimeSpan.FromHours(2)));
        // The change goes out, the second of its day and the fourth in three. On the eighth three of the last seven days count, on the ninth two.
        Assert.Equal([1, 2, 3, 3, 9], room.Sms.Taken.Select(taken => taken.At.Day));
        Assert.Contains((await room.CommunicationsAsync()).Select(c => (string?)c["statusReason"]?["coding"]![0]!["code"]), code => code == "frequency");
    }

    [Fact]
    public async Task R06_AllowanceForChangesToo_WhereTheSettingsSaySo()
    {
        using var room = await PostRoom.OpenAsync(PostRoom.Usual with { Sms = new(1, 3), SmsAllowanceForChanges = true });
        await room.PutAsync(A.Patient(telecom: PhoneOnly));
        await room.PutAsync(A.Visit("2026-05-03T14:00"));
        await room.PlanAndSendAsync();
        await room.PutAsync(A.Visit("2026-05-03T15:00"));
        await room.PlanAndSendAsync();
        Assert.Single(room.Sms.Taken);
    }

    [Fact]
    public async Task R07_NothingOfTheReason_IsInAnyMessage()
    {
        using var room = await PostRoom.OpenAsync(PostRoom.Usual with { ClinicName = null, ClinicPhone = null });
        string[] secrets = ["depression", "Psychiatry", "Ward 3", "F32.1", "lithium", "Secret", "bring your", "Dr. Freud", "intake"]; // longer than what a random id may hold
        await room.PutAsync("""{"resourceType":"Organization","id":"dept","name":"Department of Psychiatry","partOf":{"reference":"Organization/clinic"}}""");
        await room.PutAsync("""{"resourceType":"Organization","id":"clinic","name":"Lindenhof","telecom":[{"system":"phone","value":"+49 30 1"}]}""");
        await room.PutAsync("""{"resourceType":"Location","id":"ward","name":"Psychiatry Ward 3","managingOrganization":{"reference":"Organization/dept"},"address":{"line":["Lindenstraße 12"],"city":"Berlin"}}""");
        await room.PutAsync("""{"resourceType":"HealthcareService","id":"s","name":"Psychiatry intake","providedBy":{"reference":"Organization/dept"}}""");
        await room.PutAsync("""{"resourceType":"Practitioner","id":"dr","name":[{"text":"Dr. Freud"}],"telecom":[{"system":"email","value":"dr@clinic.example"}]}""");
        await room.PutAsync(A.Patient());
        await room.Room.Devices.RegisterAsync("anna", "token", default);
        const string More = """
            ,"description":"depression follow-up","comment":"bring lithium levels","patientInstruction":"bring your list","serviceType":[{"text":"Psychiatry intake"}],
            "specialty":[{"text":"Psychiatry"}],"reasonCode":[{"text":"F32.1 depression"}],"appointmentType":{"text":"Psychiatry intake"},"serviceCategory":[{"text":"Psychiatry"}]
            """;
        foreach (var (status, start) in ((string, string)[])[("booked", "2026-05-19T14:00"), ("booked", "2026-05-19T15:00"), ("cancelled", "2026-05-19T15:00")])
        {
            foreach (var who in (string[])["{}", A.Language("ru")])
            {
                await room.PutAsync(A.Patient(more: who == "{}" ? "" : who));
                await room.PutAsync(A.Visit(start, id: who == "{}" ? "v1" : "v2", status: status, participants: A.With("Practitioner/dr") + A.With("HealthcareService/s") + A.With("Location/ward"), more: More));
                await room.PlanAndSendAsync();
            }
        }
        await room.PutAsync(A.Visit("2026-05-29T14:00", id: "v3", participants: A.With("Practitioner/dr") + A.With("HealthcareService/s") + A.With("Location/ward"), more: More));
        await room.PlanAsync();
        room.Push.Answers = _ => new MessageResult.Refused(MessageRefusal.Unreachable, "off");
        await room.RunUntilAsync(new(2026, 5, 28, 15, 0, 0, TimeSpan.FromHours(2)));

        var all = room.Push.Taken.Concat(room.Sms.Taken).Concat(room.Mail.Taken).Select(taken => taken.Message).ToArray();
        Assert.True(all.Length > 12, $"{all.Length} messages");
        Assert.All(all, message =>
        {
            var whole = string.Join('\n', message.Subject, message.Text, message.Html, message.File is { } file ? System.Text.Encoding.UTF8.GetString(file.Content.Span) : "", string.Join('\n', message.Data));
            Assert.All(secrets, secret => Assert.DoesNotContain(secret, whole, StringComparison.OrdinalIgnoreCase));
            Assert.True(whole.Contains("Lindenhof", StringComparison.Ordinal) || message.To == "dr@clinic.example" || message.Data.Count > 0);
        });
        var communications = string.Join('\n', (await room.CommunicationsAsync()).Select(c => c.ToJsonString()));
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, communications, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(A.Mobile, communications, StringComparison.Ordinal);
        Assert.DoesNotContain(A.Email, communications, StringComparison.Ordinal);
    }

    [Fact]
    public async Task R07_NamesThatLookLikeCode_AreNames()
    {
        var folder = Directory.CreateTempSubdirectory("texts-").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "en.json"), """{"sms.reminder":"Hello {given}, visit {date} {time}. {link}","mail.reminder":"Hello {given}, {confirm|Confirm}"}""");
            foreach (var telecom in (string[])[PhoneOnly, $$"""{"system":"email","value":"{{A.Email}}"}"""])
            {
                using var room = await DueAsync(telecom, PostRoom.Usual with { Templates = folder });
                var patient = JsonNode.Parse(A.Patient(telecom: telecom))!;
                patient["name"]![0]!["given"]![0] = "{link}[x] <script>alert(1)</script>\nhttp://evil.example/x {cancel} {{given}}";
                await room.PutAsync(patient.ToJsonString());
                await room.SendAsync();
                var message = room.Sms.Taken.Concat(room.Mail.Taken).Single().Message;
                Assert.Equal(1, message.Text.Split("https://clinic.example/m/").Length - 1);
                Assert.DoesNotContain("http://evil", message.Text, StringComparison.Ordinal);
                Assert.DoesNotContain("<script", message.Text + message.Html, StringComparison.Ordinal);
                Assert.DoesNotContain('\n', message.Text);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Erased_NothingIsSent_AndNothingStandsStill()
    {
        using var room = await DueAsync(PhoneOnly, null, null, A.Patient("other", """{"system":"sms","value":"+4915199999999"}"""), A.Visit("2026-05-19T14:00", id: "v2", patient: "other"));
        // The keys of one patient go, as an erasure does it: everything sealed under them is closed for ever.
        var keys = await room.Raw.QueryAsync(new("_DataKey", Predicate.Everything, RecordOrder.ById, null, 100), default);
        var message = (await room.Raw.QueryAsync(new(ReminderRecords.MessageType, Predicate.Everything, RecordOrder.ById, null, 10), default)).Records.First(record => record.Partition == "anna");
        var id = Convert.ToHexStringLower(message.Body.Span.Slice(3, 16));
        var mine = keys.Records.Single(key => key.Key.Id == id);
        await room.Raw.CommitAsync(new([], [], [mine.Key]), default);

        using var restarted = await room.AnotherAsync();
        await restarted.SendAsync();
        Assert.Equal("+4915199999999", Assert.Single(room.Sms.Taken).Message.To);
        Assert.Equal(1, restarted.Observer.Counts["unreadable"]);
        Assert.Empty(restarted.Observer.Faults);
    }

    [Fact]
    public async Task NoWayToReachSomebody_IsWrittenDown()
    {
        using var room = await DueAsync(telecom: "");
        await room.SendAsync();
        var written = Assert.Single(await room.CommunicationsAsync());
        Assert.Equal(("not-done", "no-address"), ((string?)written["status"], (string?)written["statusReason"]!["coding"]![0]!["code"]));
        Assert.Null(written["medium"]);
    }

    [Fact]
    public async Task WrongCredentials_TheOtherChannelIsTaken_AndSomebodyIsTold()
    {
        using var room = await DueAsync($$"""{{PhoneOnly}},{"system":"email","value":"{{A.Email}}"}""");
        room.Sms.Answers = _ => new MessageResult.Refused(MessageRefusal.Configuration, "20003");
        await room.SendAsync();
        Assert.Single(room.Mail.Taken);
        Assert.Equal(1, room.Observer.Counts["Sms misconfigured"]);
    }

    [Fact]
    public async Task WrongCredentialsOfTheOnlyChannel_MendedInTime_ItIsSent()
    {
        using var room = await DueAsync();
        room.Sms.Answers = _ => new MessageResult.Refused(MessageRefusal.Configuration, "20003");
        await room.RunUntilAsync(DayBefore.AddHours(1));
        room.Sms.Answers = static _ => null;
        await room.RunUntilAsync(DayBefore.AddHours(2));
        Assert.Single(room.Sms.Taken);
        Assert.Equal("completed sms", Told(Assert.Single(await room.CommunicationsAsync())));
    }

    [Fact]
    public async Task BadNumber_IsNotTriedAgain_UntilItIsForgotten()
    {
        using var room = await DueAsync($$"""{{PhoneOnly}},{"system":"email","value":"{{A.Email}}"}""");
        room.Sms.Answers = _ => new MessageResult.Refused(MessageRefusal.BadAddress, "21211");
        await room.PutAsync(A.Visit("2026-05-20T14:00", id: "v2"), "import");
        await room.PutAsync(A.Visit("2026-07-20T14:00", id: "v3"), "import");
        await room.PlanAsync();
        await room.RunUntilAsync(DayBefore.AddDays(5));
        Assert.Equal((1, 2), (room.Sms.Attempts, room.Mail.Taken.Count));
        await room.RunUntilAsync(DayBefore.AddDays(70));
        Assert.Equal((2, 3), (room.Sms.Attempts, room.Mail.Taken.Count));
    }

    [Fact]
    public async Task RestoredFromABackup_WhatWasSentSince_IsNotSentAgain()
    {
        using var room = await DueAsync();
        var before = (await room.Raw.QueryAsync(new(ReminderRecords.MessageType, Predicate.Everything, RecordOrder.ById, null, 10), default)).Records.Single();
        await room.SendAsync();
        var after = (await room.Raw.GetAsync(before.Key, default))!;
        await room.Raw.CommitAsync(new([], [], [before.Key]), default);
        await room.Raw.CommitAsync(Commit.Of(new RecordWrite(before with { Index = before.Index }, 0, false, "restore")), default);
        Assert.NotEqual(after.Version, before.Version);
        room.Clock.Advance(TimeSpan.FromHours(3));
        await room.RunUntilAsync(room.Now.AddMinutes(5));
        Assert.Equal((1, 1), (room.Sms.Taken.Count, room.Sms.Questions));
    }

    [Fact]
    public async Task TwoProcesses_ManyMessages_EachGoesOutOnce()
    {
        using var room = await PostRoom.OpenAsync(PostRoom.Usual with { Before = [TimeSpan.FromDays(1)] });
        for (var i = 0; i < 120; i++)
        {
            await room.PutAsync(A.Patient($"p{i}", $$"""{"system":"sms","value":"+49151000{{i:00000}}"}"""));
            await room.PutAsync(A.Visit("2026-05-19T14:00", id: $"v{i}", patient: $"p{i}"), "import");
        }
        await room.PlanAsync();
        room.Clock.SetUtcNow(DayBefore);
        using var other = await room.AnotherAsync();
        using var third = await room.AnotherAsync();
        await Task.WhenAll(Enumerable.Repeat((PostRoom[])[room, other, third], 2).SelectMany(rooms => rooms).Select(one => Task.Run(one.SendAsync)));
        Assert.Equal(120, room.Sms.Taken.Count);
        Assert.Equal(120, room.Sms.Taken.Select(taken => taken.Message.To).Distinct().Count());
        Assert.Equal(120, (await room.CommunicationsAsync()).Count(c => (string?)c["status"] == "completed"));
    }

    [Fact]
    public async Task StoreIsAwayWhileItIsSent_ItIsWrittenDownWhenItIsBack()
    {
        var hooked = new HookedStore(new Storage.Contract.InMemoryRecordStore());
        using var room = await DueAsync(store: hooked);
        var failures = 0;
        room.Sms.AfterTaking = _ => hooked.BeforeCommit = commit =>
        {
            if (commit.Writes.Any(write => write.Record.Key.Type == ReminderRecords.MessageType) && failures++ < 2)
            {
                throw new StoreUnavailableException("away");
            }
        };
        await room.SendAsync();
        Assert.Equal((1, 3), (room.Sms.Taken.Count, failures));
        Assert.Equal("completed sms", Told(Assert.Single(await room.CommunicationsAsync())));
    }

    [Fact]
    public async Task Communication_SaysWhoWasToldWhatWhen_AndIsValid()
    {
        using var room = await DueAsync();
        await room.SendAsync();
        var c = Assert.Single(await room.CommunicationsAsync());
        Assert.Equal("Appointment/v1", (string?)c["about"]![0]!["reference"]);
        Assert.Equal("Appointment/v1", (string?)c["basedOn"]![0]!["reference"]);
        Assert.Equal("Patient/anna", (string?)c["subject"]!["reference"]);
        Assert.Equal("Patient/anna", (string?)c["recipient"]![0]!["reference"]);
        Assert.Equal("2026-05-18T12:00:00Z", (string?)c["sent"]);
        Assert.Equal("2026-05-19T12:00:00Z", (string?)c["extension"]![0]!["valueDateTime"]);
        Assert.Equal("appointment-reminder", (string?)c["topic"]!["coding"]![0]!["code"]);
        Assert.Null(c["payload"]);
        Assert.Null(FhirStore.Json.ResourceParser.Parse(System.Text.Encoding.UTF8.GetBytes(c.ToJsonString()), "Communication").Failure);
    }

    internal static string Told(JsonObject communication) => $"{communication["status"]} {communication["medium"]?[0]!["coding"]![0]!["code"]}";
}
