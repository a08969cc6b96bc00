using System.Text.Json.Nodes;
using Authorization.Access;
using FhirServer.Tests.Access;

namespace FhirServer.Tests;

/// <summary>The operations of forecasting over HTTP, from appointments as clients write them.</summary>
public sealed class ForecastTests(ServerFixture server)
{
    private static readonly DateOnly Today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);

    [Fact]
    public async Task Forecast_AfterWeeksOfVisits_ExpectsMoreOfThem()
    {
        var (practitioner, _) = await ClinicAsync();
        var answer = await ForecastAsync($"{practitioner}/$forecast?horizon=14&measure=attended", "historyDays", 69);

        var forecast = Parts(answer.Json["parameter"]![0]!);
        Assert.Equal(practitioner, (string?)forecast["subject"][0]["valueReference"]!["reference"]);
        Assert.Equal("attended", (string?)forecast["measure"][0]["valueCode"]);
        Assert.Equal(14, forecast["point"].Count);
        Assert.All(forecast["point"], point => Assert.Equal(2, (double)Parts(point)["expected"][0]["valueDecimal"]!, 0.3));
        Assert.True((bool)forecast["trusted"][0]["valueBoolean"]!);
        Assert.Equal("mix of weekday mean, 8 weeks + SSA 28 days, rank 1 + level smoother", (string?)forecast["method"][0]["valueString"]);
    }

    /// <summary>What is booked ahead is there as soon as it was counted, and gone when it is cancelled or moved.</summary>
    [Fact]
    public async Task Booked_FollowsWhatBecomesOfAnAppointment()
    {
        var (practitioner, run) = await ClinicAsync(weeks: 0);
        var (day, next) = (Today.AddDays(3), Today.AddDays(4));
        Task WriteAsync(string status, DateOnly on) => PutAsync(Appointment($"{run}-x", status, on, practitioner));

        await WriteAsync("booked", day);
        await BookedAsync(practitioner, day, 1);
        await WriteAsync("booked", next);
        await BookedAsync(practitioner, next, 1);
        await BookedAsync(practitioner, day, 0);
        await WriteAsync("cancelled", next);
        await BookedAsync(practitioner, next, 0);
        await PutAsync(Appointment($"{run}-y", "booked", next, practitioner));
        await BookedAsync(practitioner, next, 1);
        Assert.Equal(204, (await server.Client.DeleteAsync($"Appointment/{run}-y")).Status);
        await BookedAsync(practitioner, next, 0);
    }

    [Theory]
    [InlineData("", null, "application/fhir+json; charset=utf-8", "{\"resourceType\":\"Parameters\"")]
    [InlineData("", "text/csv", "text/csv; charset=utf-8", "subject,name,")]
    [InlineData("", "image/svg+xml", "image/svg+xml; charset=utf-8", "<svg xmlns=")]
    [InlineData("_format=csv", "application/fhir+json", "text/csv; charset=utf-8", "subject,name,")]
    [InlineData("_format=image/svg+xml", null, "image/svg+xml; charset=utf-8", "<svg xmlns=")] // the plus comes as a space
    [InlineData("_format=json", "text/csv", "application/fhir+json; charset=utf-8", "{\"resourceType\"")]
    [InlineData("", "application/fhir+json, text/csv", "application/fhir+json; charset=utf-8", "{\"resourceType\"")]
    [InlineData("", "application/fhir+json;q=0.5, text/csv;q=0.9", "text/csv; charset=utf-8", "subject,name,")]
    [InlineData("", "text/html, image/svg+xml;q=0.8, */*;q=0.1", "image/svg+xml; charset=utf-8", "<svg xmlns=")]
    [InlineData("", "*/*", "application/fhir+json; charset=utf-8", "{\"resourceType\"")]
    [InlineData("output=measure-report", null, "application/fhir+json; charset=utf-8", "{\"resourceType\":\"MeasureReport\"")]
    public async Task Form_AsAskedFor(string query, string? accept, string contentType, string begins)
    {
        var practitioner = await PractitionerAsync();
        var answer = await server.Client.GetAsync($"{practitioner}/$forecast?{query}", accept is null ? [] : [("Accept", accept)]);

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal(contentType, answer.Response.Content.Headers.ContentType!.ToString());
        Assert.StartsWith(begins, answer.Text, StringComparison.Ordinal);
        Assert.Equal("nosniff", answer.Response.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Contains("default-src 'none'", answer.Response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        var head = await server.Client.SendAsync("HEAD", $"{practitioner}/$forecast?{query}", null, accept is null ? [] : [("Accept", accept)]);
        Assert.Equal((200, 0, contentType), (head.Status, head.Bytes.Length, head.Response.Content.Headers.ContentType!.ToString()));
    }

    [Theory]
    [InlineData("$forecast?horizon=0", 400, "value", "horizon", "horizon is a whole number of days from 1 to 366.")]
    [InlineData("$forecast?horizon=367", 400, "value", "horizon", "horizon is a whole number of days from 1 to 366.")]
    [InlineData("$forecast?horizon=4.5", 400, "value", "horizon", "horizon is a whole number of days from 1 to 366.")]
    [InlineData("$forecast?horizon=32&granularity=hour", 400, "value", "horizon", "horizon is a whole number of days from 1 to 31 where hours are asked for.")]
    [InlineData("$forecast?granularity=month", 400, "value", "granularity", "granularity is one of day, week, hour.")]
    [InlineData("$forecast?measure=revenue", 400, "value", "measure", "measure is one of demand, booked, attended.")]
    [InlineData("$forecast?confidence=0.49", 400, "value", "confidence", "confidence is a share in whole percents from 0.50 to 0.99.")]
    [InlineData("$forecast?confidence=95", 400, "value", "confidence", "confidence is a share in whole percents from 0.50 to 0.99.")]
    [InlineData("$forecast?confidence=0.955", 400, "value", "confidence", "confidence is a share in whole percents from 0.50 to 0.99.")]
    [InlineData("$forecast?parts=room", 400, "value", "parts", "parts is one of practitioner, location, service.")]
    [InlineData("$forecast?output=pdf", 400, "value", "output", "output is one of parameters, measure-report.")]
    [InlineData("$forecast?horizon=7&horizon=8", 400, "invalid", "horizon", "horizon may be given once.")]
    [InlineData("$forecast?horizont=7", 400, "not-supported", "horizont", "$forecast has no input horizont. It takes horizon, granularity, measure, confidence, parts, output.")]
    [InlineData("$forecast?%3Cscript%3E=7", 400, "not-supported", "<script>", "$forecast has no input of this name. It takes horizon, granularity, measure, confidence, parts, output.")]
    [InlineData("$capacity?measure=booked", 400, "not-supported", "measure", "$capacity has no input measure. It takes horizon, confidence.")]
    [InlineData("$capacity?horizon=x", 400, "value", "horizon", "horizon is a whole number of days from 1 to 366.")]
    [InlineData("$overbooking?limit=0.6", 400, "value", "limit", "limit is a share from 0.001 to 0.5.")]
    [InlineData("$overbooking?limit=NaN", 400, "value", "limit", "limit is a share from 0.001 to 0.5.")]
    [InlineData("$overbooking?date=tomorrow", 400, "value", "date", "date is a date such as 2030-01-31.")]
    [InlineData("$overbooking?days=32", 400, "value", "days", "days is a whole number of days from 1 to 31.")]
    [InlineData("$waitlist?count=0", 400, "value", "count", "count is a whole number from 1 to 200.")]
    [InlineData("$waitlist?start=2030-01-31", 400, "value", "start", "start is a time with its offset, such as 2030-01-31T09:30:00Z.")]
    public async Task BadInput_IsRefusedByName(string path, int status, string code, string expression, string diagnostics)
    {
        var run = Run();
        await PutAsync($$"""{"resourceType":"Schedule","id":"{{run}}","actor":[{"reference":"Practitioner/{{run}}"}]}""");
        var answer = await server.Client.GetAsync($"Schedule/{run}/{path}");

        Assert.Equal((status, code, diagnostics), (answer.Status, (string?)answer.Issues[0]["code"], (string?)answer.Issues[0]["diagnostics"]));
        Assert.Equal(expression, (string?)answer.Issues[0]["expression"]![0]);
    }

    [Theory]
    [InlineData("""{"resourceType":"Parameters","parameter":[{"name":"horizon","valueInteger":0}]}""", 400, "Parameters.parameter[0].value", "horizon is a whole number of days from 1 to 366.")]
    [InlineData("""{"resourceType":"Parameters","parameter":[{"name":"measure","valueCode":"booked"},{"name":"horizon"}]}""", 400, "Parameters.parameter[1]", "A parameter of this operation has a value.")]
    [InlineData("""{"resourceType":"Patient"}""", 400, null, null)]
    [InlineData("""{"resourceType":"Parameters","parameter":[{"name":"horizon","valueInteger":"x"}]}""", 400, null, null)]
    public async Task BadBody_IsRefused(string body, int status, string? expression, string? diagnostics)
    {
        var answer = await server.Client.PostAsync($"{await PractitionerAsync()}/$forecast", body);

        Assert.Equal(status, answer.Status);
        Assert.Equal("OperationOutcome", (string?)answer.Json["resourceType"]);
        if (diagnostics is not null)
        {
            Assert.Equal((expression, diagnostics), ((string?)answer.Issues[0]["expression"]![0], (string?)answer.Issues[0]["diagnostics"]));
        }
    }

    [Fact]
    public async Task Form_ThatIsNotOffered_IsRefusedByName()
    {
        var practitioner = await PractitionerAsync();
        var svg = await server.Client.GetAsync($"{practitioner}/$capacity", ("Accept", "image/svg+xml"));
        var xml = await server.Client.GetAsync($"{practitioner}/$forecast?_format=xml");
        var csvOfARead = await server.Client.GetAsync(practitioner, ("Accept", "text/csv"));

        Assert.Equal((406, "This is offered as application/fhir+json, text/csv: ask for one of them."), (svg.Status, (string?)svg.Issues[0]["diagnostics"]));
        Assert.Equal((406, "This is offered as application/fhir+json, text/csv, image/svg+xml: ask for one of them."), (xml.Status, (string?)xml.Issues[0]["diagnostics"]));
        Assert.Equal(406, csvOfARead.Status);
    }

    /// <summary>A refusal is an OperationOutcome, whatever form the answer would have had.</summary>
    [Fact]
    public async Task Refusal_OfARequestForCsv_IsJson()
    {
        var answer = await server.Client.GetAsync("Practitioner/nobody-has-this-id/$forecast", ("Accept", "text/csv"));

        Assert.Equal((404, "application/fhir+json; charset=utf-8", "Practitioner/nobody-has-this-id does not exist."),
            (answer.Status, answer.Response.Content.Headers.ContentType!.ToString(), (string?)answer.Issues[0]["diagnostics"]));
    }

    [Fact]
    public async Task PostOfParameters_AndBatchEntry_AnswerAsTheGetDoes()
    {
        var practitioner = await PractitionerAsync();
        var get = await server.Client.GetAsync($"{practitioner}/$forecast?horizon=3&confidence=0.9");
        var post = await server.Client.PostAsync($"{practitioner}/$forecast",
            """{"resourceType":"Parameters","parameter":[{"name":"horizon","valueInteger":3},{"name":"confidence","valueDecimal":0.90}]}""");
        var batch = await server.Client.PostAsync("", $$"""
            {"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"{{practitioner}}/$forecast?horizon=3&confidence=0.9"} }]}
            """);

        Assert.Equal(get.Text, post.Text);
        Assert.Equal(get.Text, batch.Entries[0]["resource"]!.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    }

    [Fact]
    public async Task WhatIsNotThere_IsRefused()
    {
        var practitioner = await PractitionerAsync();
        foreach (var (method, path, status) in ((string, string, int)[])
        [
            ("GET", "Patient/$forecast", 404), ("GET", "$forecast", 404), ("GET", "Practitioner/$no-show-risk", 404), ("GET", "Schedule/$overbooking", 404), ("DELETE", $"{practitioner}/$forecast", 405),
            ("PUT", $"{practitioner}/$forecast", 405), ("GET", $"{practitioner}/$forecasts", 404),
        ])
        {
            Assert.Equal((path, status), (path, (await server.Client.SendAsync(method, path, null)).Status));
        }
    }

    [Fact]
    public async Task Metadata_ListsTheOperations_OfEachType()
    {
        var rest = (await server.Client.GetAsync("metadata")).Json["rest"]![0]!["resource"]!.AsArray();
        var operations = rest.SelectMany(type => (type!["operation"]?.AsArray() ?? []).Select(operation => $"{type["type"]} {operation!["name"]} {operation["definition"]}")).ToHashSet();

        foreach (var type in (string[])["Practitioner", "Location", "HealthcareService", "Schedule"])
        {
            Assert.Contains($"{type} forecast urn:fhir-server:operation:forecast", operations);
            Assert.Contains($"{type} capacity urn:fhir-server:operation:capacity", operations);
        }
        Assert.Contains("Appointment no-show-risk urn:fhir-server:operation:no-show-risk", operations);
        Assert.Contains("Schedule overbooking urn:fhir-server:operation:overbooking", operations);
        Assert.Contains("Schedule waitlist urn:fhir-server:operation:waitlist", operations);
    }

    [Fact]
    public async Task Metrics_TellHowFarTheCountingIs()
    {
        await ClinicAsync(weeks: 1);
        var metrics = await server.Anonymous.GetAsync($"{server.Origin}/metrics");

        Assert.Contains("fhir_forecast_counted_total{by=\"event\"}", metrics.Text, StringComparison.Ordinal);
        Assert.Contains("fhir_forecast_round{state=\"total\"}", metrics.Text, StringComparison.Ordinal);
        Assert.Contains("fhir_job_running{job=\"forecasting-recount\"} 1", metrics.Text, StringComparison.Ordinal);
    }

    /// <summary>Patients, and apps that speak for one, get nothing; a manager what is their organization's.</summary>
    [Fact]
    public async Task Figures_OfAnotherOrganization_AreNotAManagers()
    {
        var house = await AccessHouse.OpenAsync(server);
        using var manager = await house.SignInAsync("user/*.rs", null, null, new HeldRole(Role.Manager, house.OrganizationA));
        using var patient = await house.SignInAsync("user/*.rs", $"Patient/{house.Own}", null, new HeldRole(Role.Patient));

        Assert.Equal(200, (await manager.GetAsync($"{house["la"].Key}/$forecast")).Status);
        var refused = await manager.GetAsync($"{house["lb"].Key}/$forecast");
        Assert.Equal(
            (403, "The figures of this Location are for the managers of its organization, and for the practitioner whose own they are."), (refused.Status, (string?)refused.Issues[0]["diagnostics"]));
        var nothing = await patient.GetAsync($"{house["la"].Key}/$forecast");
        Assert.Equal((403, "The operation $forecast is for users who are manager or practitioner."), (nothing.Status, (string?)nothing.Issues[0]["diagnostics"]));
    }

    /// <returns>The practitioner, and a prefix for ids.</returns>
    private async Task<(string Practitioner, string Run)> ClinicAsync(int weeks = 10)
    {
        var run = Run();
        await PutAsync($$"""{"resourceType":"Practitioner","id":"{{run}}","name":[{"family":"{{run}}"}]}""");
        var entries = new JsonArray();
        for (var day = 1; day < 7 * weeks; day++)
        {
            for (var i = 0; i < 2; i++)
            {
                var id = $"{run}-{day}-{i}";
                entries.Add(new JsonObject
                {
                    ["resource"] = JsonNode.Parse(Appointment(id, "fulfilled", Today.AddDays(-day), $"Practitioner/{run}")),
                    ["request"] = new JsonObject { ["method"] = "PUT", ["url"] = $"Appointment/{id}" },
                });
            }
        }
        if (entries.Count > 0)
        {
            var answer = await server.Client.PostAsync("", new JsonObject { ["resourceType"] = "Bundle", ["type"] = "transaction", ["entry"] = entries }.ToJsonString());
            Assert.True(answer.Status == 200, answer.Text);
        }
        return ($"Practitioner/{run}", run);
    }

    private async Task PutAsync(string resource)
    {
        var json = JsonNode.Parse(resource)!;
        var answer = await server.Client.PutAsync($"{json["resourceType"]}/{json["id"]}", resource);
        Assert.True(answer.Status is 200 or 201, answer.Text);
    }

    private async Task<string> PractitionerAsync() => (await ClinicAsync(weeks: 0)).Practitioner;

    private static string Run() => "fc" + Guid.NewGuid().ToString("N")[..10];

    private static string Appointment(string id, string status, DateOnly day, string practitioner) => $$"""
        {"resourceType":"Appointment","id":"{{id}}","status":"{{status}}","start":"{{day:yyyy-MM-dd}}T09:00:00Z","end":"{{day:yyyy-MM-dd}}T09:30:00Z",
         "participant":[{"actor":{"reference":"{{practitioner}}"},"status":"accepted"}]}
        """;

    /// <summary>Events are followed in the background: asks until it has come so far.</summary>
    private async Task<Answer> ForecastAsync(string path, string part, int value)
    {
        for (var limit = TimeProvider.System.GetTimestamp(); ; await Task.Delay(50))
        {
            var answer = await server.Client.GetAsync(path);
            Assert.True(answer.Status == 200, answer.Text);
            if ((int?)Parts(answer.Json["parameter"]![0]!)[part][0]["valueInteger"] == value)
            {
                return answer;
            }
            Assert.True(TimeProvider.System.GetElapsedTime(limit) < TimeSpan.FromMinutes(1), answer.Text);
        }
    }

    private async Task BookedAsync(string practitioner, DateOnly day, int booked)
    {
        for (var limit = TimeProvider.System.GetTimestamp(); ; await Task.Delay(20))
        {
            var answer = await server.Client.GetAsync($"{practitioner}/$forecast?horizon=7");
            var points = Parts(answer.Json["parameter"]![0]!)["point"].Select(Parts).ToDictionary(point => (string)point["period"][0]["valuePeriod"]!["start"]!);
            if ((int)points[$"{day:yyyy-MM-dd}"]["booked"][0]["valueInteger"]! == booked)
            {
                return;
            }
            Assert.True(TimeProvider.System.GetElapsedTime(limit) < TimeSpan.FromMinutes(1), answer.Text);
        }
    }

    private static Dictionary<string, List<JsonNode>> Parts(JsonNode parameter) =>
        parameter["part"]!.AsArray().GroupBy(part => (string)part!["name"]!).ToDictionary(group => group.Key, group => group.Select(part => part!).ToList());
}
