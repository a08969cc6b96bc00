using System.Net;
using System.Text.Json.Nodes;
using StandIns;

namespace FhirServer.Tests;

/// <summary>A server whose messages go to stand-ins.</summary>
public sealed class ReminderServer : ServerFixture
{
    public TwilioStandIn Twilio { get; private set; } = null!;

    public SmtpStandIn Smtp { get; } = SmtpStandIn.Start();

    public FcmStandIn Fcm { get; private set; } = null!;

    public Uri Inbound => new(Origin + "/messages/twilio/inbound");

    protected override string[] Extra =>
    [
        .. Twilio.Settings.Concat(Smtp.Settings).Concat(Fcm.Settings).Select(setting => $"--{setting.Key}={setting.Value}"),
        "--Reminders:QuietHours=", "--Reminders:SmsPerDay=0", "--Reminders:SmsPerWeek=0", "--Reminders:ClinicName=Lindenhof", "--Reminders:ClinicPhone=+49 30 1", "--Scheduling:TimeZone=Europe/Berlin",
    ];

    public override async ValueTask InitializeAsync()
    {
        Twilio = await TwilioStandIn.StartAsync();
        Fcm = await FcmStandIn.StartAsync();
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await Twilio.DisposeAsync();
        await Fcm.DisposeAsync();
        await Smtp.DisposeAsync();
    }
}

/// <summary>Messages as people get them, and what they do with them, over the real server.</summary>
public sealed class ReminderTests(ReminderServer server) : IClassFixture<ReminderServer>
{
    private static readonly DateOnly Today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);
    private static int _people;

    /// <summary>Somebody with a phone and a mailbox of their own, and a visit of theirs in a day of free slots.</summary>
    private sealed record Case(string Patient, string Number, string Email, string Doctor, string Appointment);

    private FhirClient Client => server.Client;

    [Fact]
    public async Task Booking_IsConfirmedBySmsAndMail_AndEachIsACommunication()
    {
        var one = await BookAsync();
        var sms = await SmsAsync(one, "booked for");
        Assert.Contains($"{server.Origin}/m/", sms.Body, StringComparison.Ordinal);
        var mail = await MailAsync(one, "You are booked for");
        Assert.Equal("text/calendar", Assert.Single(mail.Read().Attachments).ContentType.MimeType);
        var written = await UntilAsync(() => Client.SearchAllAsync($"Communication?based-on={one.Appointment}"), found => found.Count == 2);
        Assert.All(written, c => Assert.Equal("completed", (string?)c["status"]));
        Assert.Equal(2, (await Client.SearchAllAsync($"Communication?patient={one.Patient}&status=completed")).Count);
    }

    [Fact]
    public async Task Reply_C_Confirms_Once_HoweverOftenTwilioAsks()
    {
        var one = await BookAsync();
        await SmsAsync(one, "booked for");
        for (var i = 0; i < 2; i++)
        {
            var (status, answer) = await server.Twilio.ReplyAsync(server.Inbound, one.Number, "c", sid: $"SMconfirm{one.Number[1..]}");
            Assert.Equal(200, status);
            Assert.Contains("is confirmed", answer, StringComparison.Ordinal);
        }
        var response = Assert.Single(await Client.SearchAllAsync($"AppointmentResponse?appointment={one.Appointment}"));
        Assert.Equal((one.Patient, "accepted"), ((string?)response["actor"]!["reference"], (string?)response["participantStatus"]));
        Assert.Equal("booked", await StatusAsync(one));
    }

    [Fact]
    public async Task Reply_X_Cancels_AndTheSlotIsFree_AndAnOldRepetitionDoesNoHarm()
    {
        var one = await BookAsync();
        await SmsAsync(one, "booked for");
        var (_, answer) = await server.Twilio.ReplyAsync(server.Inbound, one.Number, " X ", sid: "SMcancel" + one.Number[1..]);
        Assert.Contains("is cancelled", answer, StringComparison.Ordinal);
        Assert.Equal("cancelled", await StatusAsync(one));
        Assert.Equal("free", (string?)(await Client.GetAsync($"Slot/{one.Doctor}-0")).Json["status"]);
        await SmsAsync(one, "is cancelled");

        // The same SMS again, once there is another visit: it still means the first one.
        var next = await BookAsync(one, slot: 1);
        await SmsAsync(next, "booked for", count: 2);
        (_, answer) = await server.Twilio.ReplyAsync(server.Inbound, one.Number, " X ", sid: "SMcancel" + one.Number[1..]);
        Assert.Contains("nothing was done", answer, StringComparison.Ordinal);
        Assert.Equal("booked", await StatusAsync(next));
    }

    [Fact]
    public async Task Reply_Stop_EndsMessages_AndStartBringsThemBack()
    {
        var one = await BookAsync();
        await SmsAsync(one, "booked for");
        var (status, answer) = await server.Twilio.ReplyAsync(server.Inbound, one.Number, "STOP");
        Assert.Equal((200, false), (status, answer.Contains("<Message>", StringComparison.Ordinal))); // Twilio says it itself
        await CancelAsync(one);
        await MailAsync(one, "is cancelled");
        await UntilAsync(() => Client.SearchAllAsync($"Communication?based-on={one.Appointment}&status=not-done"), found => found.Count == 1);
        Assert.DoesNotContain(server.Twilio.Messages, sms => sms.To == one.Number && sms.Body.Contains("is cancelled", StringComparison.Ordinal));
        await server.Twilio.ReplyAsync(server.Inbound, one.Number, "START");
        await SmsAsync(await BookAsync(one, slot: 1), "booked for", count: 2);
    }

    [Fact]
    public async Task Reply_OfNonsense_IsAnsweredAFewTimes_AndAStrangersNever()
    {
        var one = await BookAsync();
        await SmsAsync(one, "booked for");
        var answers = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            answers.Add((await server.Twilio.ReplyAsync(server.Inbound, one.Number, "what? <b>&")).TwiMl);
        }
        Assert.Equal(3, answers.Count(answer => answer.Contains("reply C to confirm", StringComparison.Ordinal)));
        Assert.DoesNotContain("<Message>", (await server.Twilio.ReplyAsync(server.Inbound, "+15550199", "C")).TwiMl, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Undelivered_GoesOnByMail_AndADeliveryIsWrittenDown()
    {
        var one = await BookAsync();
        var sms = await SmsAsync(one, "booked for");
        await UntilAsync(() => Client.SearchAllAsync($"Communication?based-on={one.Appointment}"), found => found.Count == 2);
        Assert.Equal(204, await server.Twilio.ReportAsync(sms.Sid, "sent"));
        Assert.Equal(204, await server.Twilio.ReportAsync(sms.Sid, "delivered"));
        Assert.Equal(204, await server.Twilio.ReportAsync(sms.Sid, "delivered"));
        var delivered = await UntilAsync(() => OfSmsAsync(one), found => found["received"] is not null);
        Assert.Equal(("completed", "2"), ((string?)delivered["status"], (string?)delivered["meta"]!["versionId"]));

        var two = await BookAsync();
        sms = await SmsAsync(two, "booked for");
        await UntilAsync(() => Client.SearchAllAsync($"Communication?based-on={two.Appointment}"), found => found.Count == 2);
        Assert.Equal(204, await server.Twilio.ReportAsync(sms.Sid, "undelivered", 30006));
        var failed = await UntilAsync(() => OfSmsAsync(two), found => (string?)found["status"] == "stopped");
        Assert.Equal(("bad-address", "30006"), ((string?)failed["statusReason"]!["coding"]![0]!["code"], (string?)failed["statusReason"]!["text"]));
    }

    [Fact]
    public async Task WrongSignature_IsForbidden_AndChangesNothing()
    {
        var one = await BookAsync();
        var sms = await SmsAsync(one, "booked for");
        Assert.Equal(403, await server.Twilio.ReportAsync(sms.Sid, "undelivered", 30006, token: "wrong"));
        Assert.Equal(403, (await server.Twilio.ReplyAsync(server.Inbound, one.Number, "X", token: "wrong")).Status);
        Assert.Equal(403, (await TwilioStandIn.PostSignedAsync(new(server.Inbound + "?x=1"), [new("From", one.Number), new("Body", "X"), new("MessageSid", "SM1")], "another")).Status);
        // A signature for one address is none for another.
        KeyValuePair<string, string>[] form = [new("From", one.Number), new("Body", "X"), new("MessageSid", "SM2")];
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, server.Inbound) { Content = new FormUrlEncodedContent(form) };
        request.Headers.Add("X-Twilio-Signature", TwilioStandIn.Sign(TwilioStandIn.AuthToken, new(server.Origin + "/messages/twilio/status"), form));
        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal("booked", await StatusAsync(one));
        using var get = await http.GetAsync(server.Inbound, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, get.StatusCode);
    }

    [Fact]
    public async Task Link_OpenedByAScanner_DoesNothing_AndSentByAPerson_Cancels()
    {
        var one = await BookAsync();
        var links = await LinksAsync(one);
        using var http = new HttpClient();
        foreach (var link in links)
        {
            for (var i = 0; i < 2; i++)
            {
                using var opened = await http.GetAsync(new Uri(link), TestContext.Current.CancellationToken);
                Assert.Equal(HttpStatusCode.OK, opened.StatusCode);
                Assert.Contains("default-src 'none'", opened.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
                Assert.Equal(("no-referrer", "no-store"), (opened.Headers.GetValues("Referrer-Policy").Single(), opened.Headers.CacheControl!.ToString()));
                Assert.DoesNotContain("<script", await opened.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.OrdinalIgnoreCase);
                using var head = await http.SendAsync(new(HttpMethod.Head, link), TestContext.Current.CancellationToken);
                Assert.Equal((HttpStatusCode.OK, 0), (head.StatusCode, (await head.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).Length));
            }
        }
        Assert.Equal("booked", await StatusAsync(one));
        Assert.Empty(await Client.SearchAllAsync($"AppointmentResponse?appointment={one.Appointment}"));

        var (confirm, _, cancel) = (links[0], links[1], links[2]);
        Assert.Equal(HttpStatusCode.Forbidden, await PostAsync(http, cancel + "/confirm")); // one purpose
        Assert.Equal(HttpStatusCode.Forbidden, await PostAsync(http, confirm + "/cancel"));
        Assert.Equal(HttpStatusCode.Forbidden, await PostAsync(http, confirm + "/explode"));
        Assert.Equal("booked", await StatusAsync(one));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(http, confirm + "/confirm"));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(http, confirm + "/confirm"));
        Assert.Single(await Client.SearchAllAsync($"AppointmentResponse?appointment={one.Appointment}"));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(http, cancel + "/cancel"));
        Assert.Equal("cancelled", await StatusAsync(one));
        Assert.Equal(HttpStatusCode.Gone, await PostAsync(http, cancel + "/cancel"));
        Assert.Equal(HttpStatusCode.Gone, await PostAsync(http, confirm + "/confirm"));
    }

    [Fact]
    public async Task Link_MovesTheVisit_ToATimeThatIsFree_UnderTheRulesOfScheduling()
    {
        var one = await BookAsync();
        var reschedule = (await LinksAsync(one))[1];
        using var http = new HttpClient();
        var day = DayOf(one);
        var page = await http.GetStringAsync(new Uri($"{reschedule}?from={day:yyyy-MM-dd}&lang=ru"), TestContext.Current.CancellationToken);
        Assert.Contains("Выбрать другое время", WebUtility.HtmlDecode(page), StringComparison.Ordinal);
        var free = page.Split("value=\"").Skip(1).Select(part => part.Split('"')[0]).ToArray();
        Assert.Equal(3, free.Length); // four slots, of which one is taken
        Assert.Equal(HttpStatusCode.Conflict, await PostAsync(http, reschedule + "/reschedule", ("start", $"{day:yyyy-MM-dd}T23:00:00Z")));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(http, reschedule + "/reschedule", ("start", free[1])));
        var moved = (await Client.GetAsync(one.Appointment)).Json;
        Assert.Equal(DateTimeOffset.Parse(free[1], System.Globalization.CultureInfo.InvariantCulture), DateTimeOffset.Parse((string)moved["start"]!, System.Globalization.CultureInfo.InvariantCulture));
        await SmsAsync(one, "now on");
        // Links of the time before are over; those of the new message are good.
        Assert.Equal(HttpStatusCode.Gone, await PostAsync(http, reschedule + "/reschedule", ("start", free[0])));
        using var fresh = await http.GetAsync(new Uri((await LinksAsync(one, "has changed"))[1]), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, fresh.StatusCode);
    }

    [Fact]
    public async Task Link_ChangedWhileSomebodyLooks_IsNotActedOn()
    {
        var one = await BookAsync();
        var cancel = (await LinksAsync(one))[2];
        using var http = new HttpClient();
        await http.GetStringAsync(new Uri(cancel), TestContext.Current.CancellationToken);
        var day = DayOf(one);
        var moved = await Client.PostAsync($"{one.Appointment}/$reschedule", $$$"""{"resourceType":"Parameters","parameter":[{"name":"start","valueInstant":"{{{day:yyyy-MM-dd}}}T09:30:00Z"},{"name":"slot","valueReference":{"reference":"Slot/{{{one.Doctor}}}-1"}}]}""");
        Assert.True(moved.Status == 200, moved.Text);
        Assert.Equal(HttpStatusCode.Gone, await PostAsync(http, cancel + "/cancel"));
        Assert.Equal("booked", await StatusAsync(one));
    }

    [Theory]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("x")]
    [InlineData("")]
    [InlineData("../fhir/Patient")]
    public async Task Link_ThatNobodyMade_IsNothing(string secret)
    {
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri($"{server.Origin}/m/{secret}"), TestContext.Current.CancellationToken);
        Assert.True(answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Unauthorized, $"{answer.StatusCode}");
    }

    [Fact]
    public async Task ActingByLink_IsAudited_AsTheLinksDoing()
    {
        var one = await BookAsync();
        using var http = new HttpClient();
        await PostAsync(http, (await LinksAsync(one))[2] + "/cancel");
        var events = await UntilAsync(() => Client.SearchAllAsync($"AuditEvent?patient={one.Patient}&_count=200"), found => found.Exists(e => e.ToJsonString().Contains("visit link", StringComparison.Ordinal)));
        Assert.Contains(events, e => e.ToJsonString().Contains("visit link", StringComparison.Ordinal) && e.ToJsonString().Contains(one.Appointment, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Push_GoesToTheRegisteredApp_AndWhenItIsGone_AnSmsComes()
    {
        var one = await PersonAsync();
        var token = $"app-{one.Number[1..]}";
        var registered = await Client.PostAsync($"{one.Patient}/$register-device", $$"""{"resourceType":"Parameters","parameter":[{"name":"token","valueString":"{{token}}"}]}""");
        Assert.Equal((204, 0), (registered.Status, registered.Bytes.Length));
        one = await BookAsync(one);
        var push = await UntilAsync(() => Task.FromResult(server.Fcm.Shown.FirstOrDefault(shown => shown.Token == token)), found => found is not null);
        Assert.StartsWith("You are booked for", push!.Body, StringComparison.Ordinal);
        Assert.Equal(one.Appointment, $"Appointment/{push.Data["appointment"]}");

        server.Fcm.Ends = asked => asked == token ? new Ending.Refused(404, "UNREGISTERED") : Ending.Ok;
        await CancelAsync(one);
        await SmsAsync(one, "is cancelled");
        server.Fcm.Ends = static _ => Ending.Ok;
    }

    [Fact]
    public async Task RegisterDevice_WithoutAToken_OrForNobody_IsRefused()
    {
        var one = await PersonAsync();
        Assert.Equal(400, (await Client.PostAsync($"{one.Patient}/$register-device", """{"resourceType":"Parameters"}""")).Status);
        Assert.Equal(400, (await Client.PostAsync($"{one.Patient}/$register-device", """{"resourceType":"Parameters","parameter":[{"name":"token","valueString":"with blanks"}]}""")).Status);
        Assert.Equal(404, (await Client.PostAsync("Patient/nobody/$register-device", """{"resourceType":"Parameters","parameter":[{"name":"token","valueString":"x"}]}""")).Status);
        Assert.Equal(403, (await server.Reader.PostAsync($"{one.Patient}/$register-device", """{"resourceType":"Parameters","parameter":[{"name":"token","valueString":"x"}]}""")).Status);
        Assert.Equal(405, (await Client.GetAsync($"{one.Patient}/$register-device")).Status);
    }

    [Fact]
    public async Task Metrics_CountMessages_AndNameNobody()
    {
        var one = await BookAsync();
        await SmsAsync(one, "booked for");
        using var http = new HttpClient();
        var metrics = await UntilAsync(() => http.GetStringAsync(new Uri(server.Origin + "/metrics"), TestContext.Current.CancellationToken), text => text.Contains("fhir_messages_total{channel=\"sms\",result=\"taken\"}", StringComparison.Ordinal));
        Assert.DoesNotContain(one.Number, metrics, StringComparison.Ordinal);
    }

    /// <summary>If-Match of the scheduling operations, which the links rest on.</summary>
    [Fact]
    public async Task Operations_OnAnotherVersion_AreStale()
    {
        var one = await BookAsync();
        var stale = await Client.PostAsync($"{one.Appointment}/$cancel", """{"resourceType":"Parameters"}""", ("If-Match", "W/\"7\""));
        Assert.Equal(412, stale.Status);
        Assert.Equal(400, (await Client.PostAsync($"{one.Appointment}/$cancel", """{"resourceType":"Parameters"}""", ("If-Match", "soon"))).Status);
        Assert.Equal(200, (await Client.PostAsync($"{one.Appointment}/$cancel", """{"resourceType":"Parameters"}""", ("If-Match", "W/\"1\""))).Status);
    }

    private async Task<Case> PersonAsync()
    {
        var number = Interlocked.Increment(ref _people);
        var one = new Case($"Patient/rem-{number}", $"+4915100{number:000000}", $"rem-{number}@example.org", $"rem-{number}", "");
        var put = await Client.PutAsync(one.Patient, $$"""
            {"resourceType":"Patient","id":"rem-{{number}}","telecom":[{"system":"sms","value":"{{one.Number}}"},{"system":"email","value":"{{one.Email}}"}],
             "communication":[{"language":{"coding":[{"code":"en"}]},"preferred":true}]}
            """);
        Assert.True(put.Status == 201, put.Text);
        var day = Today.AddDays(20 + number);
        var entries = new JsonArray(
            Entry($$"""{"resourceType":"Practitioner","id":"{{one.Doctor}}"}"""),
            Entry($$"""{"resourceType":"Schedule","id":"{{one.Doctor}}","active":true,"actor":[{"reference":"Practitioner/{{one.Doctor}}"}]}"""));
        for (var i = 0; i < 4; i++)
        {
            var start = new DateTimeOffset(day, new(9, 0), TimeSpan.Zero).AddMinutes(30 * i);
            entries.Add(Entry($$"""{"resourceType":"Slot","id":"{{one.Doctor}}-{{i}}","schedule":{"reference":"Schedule/{{one.Doctor}}"},"status":"free","start":"{{start:yyyy-MM-ddTHH:mm:ssZ}}","end":"{{start.AddMinutes(30):yyyy-MM-ddTHH:mm:ssZ}}"}"""));
        }
        var made = await Client.PostAsync("", new JsonObject { ["resourceType"] = "Bundle", ["type"] = "transaction", ["entry"] = entries }.ToJsonString());
        Assert.True(made.Status == 200, made.Text);
        return one;

        static JsonObject Entry(string json)
        {
            var resource = JsonNode.Parse(json)!;
            return new() { ["resource"] = resource, ["request"] = new JsonObject { ["method"] = "PUT", ["url"] = $"{resource["resourceType"]}/{resource["id"]}" } };
        }
    }

    private async Task<Case> BookAsync(Case? who = null, int slot = 0)
    {
        var one = who ?? await PersonAsync();
        var free = (await Client.GetAsync($"Slot/{one.Doctor}-{slot}")).Json;
        var booked = await Client.PostAsync("Appointment/$book", $$"""
            {"resourceType":"Appointment","status":"proposed","slot":[{"reference":"Slot/{{one.Doctor}}-{{slot}}"}],"start":"{{free["start"]}}","end":"{{free["end"]}}",
             "participant":[{"actor":{"reference":"{{one.Patient}}"},"status":"accepted"}]}
            """);
        Assert.True(booked.Status == 201, booked.Text);
        return one with { Appointment = $"Appointment/{booked.Id}" };
    }

    private async Task CancelAsync(Case one)
    {
        var cancelled = await Client.PostAsync($"{one.Appointment}/$cancel", """{"resourceType":"Parameters"}""");
        Assert.True(cancelled.Status == 200, cancelled.Text);
    }

    private async Task<string?> StatusAsync(Case one) => (string?)(await Client.GetAsync(one.Appointment)).Json["status"];

    private async Task<SentSms> SmsAsync(Case one, string text, int count = 1) => (await UntilAsync(
        () => Task.FromResult(server.Twilio.Messages.Where(sms => sms.To == one.Number && sms.Body.Contains(text, StringComparison.Ordinal)).ToList()), found => found.Count == count))[^1];

    private async Task<TakenMail> MailAsync(Case one, string subject) => (await UntilAsync(
        () => Task.FromResult(server.Smtp.Taken.FirstOrDefault(mail => mail.To == one.Email && mail.Read().Subject?.Contains(subject, StringComparison.Ordinal) is true)), found => found is not null))!;

    /// <summary>To confirm, to move and to cancel.</summary>
    private async Task<string[]> LinksAsync(Case one, string subject = "You are booked")
    {
        var text = (await MailAsync(one, subject)).Text;
        return [.. text.Split('\n').Where(line => line.Contains("/m/", StringComparison.Ordinal)).Select(line => line[line.IndexOf("http", StringComparison.Ordinal)..].Trim())];
    }

    private async Task<JsonObject> OfSmsAsync(Case one) => (await Client.SearchAllAsync($"Communication?based-on={one.Appointment}")).Single(c => ((string)c["id"]!).EndsWith("-sms", StringComparison.Ordinal));

    private static DateOnly DayOf(Case one) => Today.AddDays(20 + int.Parse(one.Doctor[4..], System.Globalization.CultureInfo.InvariantCulture));

    private static async Task<HttpStatusCode> PostAsync(HttpClient http, string url, params (string Name, string Value)[] fields)
    {
        using var form = new FormUrlEncodedContent(fields.Select(field => new KeyValuePair<string, string>(field.Name, field.Value)));
        using var answer = await http.PostAsync(new Uri(url), form, TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    private static async Task<T> UntilAsync<T>(Func<Task<T>> look, Func<T, bool> isThere)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            var found = await look();
            if (isThere(found))
            {
                return found;
            }
            await Task.Delay(50, patience.Token);
        }
    }
}
