using System.Text;
using System.Text.Json.Nodes;

namespace FhirServer.Tests;

/// <summary>A server on which nobody else stores anything: that nothing was stored can be counted.</summary>
public sealed class BadInputServer : ServerFixture;

/// <summary>What a client can get wrong: the right status, an outcome it can act on, nothing stored, and the server goes on.</summary>
public sealed class BadInputTests(BadInputServer server) : IClassFixture<BadInputServer>
{
    private readonly FhirClient _client = server.Client;

    public static TheoryData<string, string, int, string, string?> Bodies => new()
    {
        { "no JSON", "this is no JSON", 400, "structure", null },
        { "cut off", """{"resourceType":"Basic","code":{"te""", 400, "structure", null },
        { "empty", "", 400, "structure", null },
        { "array", "[]", 400, "structure", null },
        { "no type", """{"code":{"text":"x"}}""", 400, "required", null },
        { "other type", """{"resourceType":"Patient"}""", 400, "structure", "*" },
        { "unknown type", """{"resourceType":"Nonsense"}""", 400, "structure", null },
        { "wrong element type", """{"resourceType":"Basic","code":"x"}""", 400, "structure", "Basic.code" },
        { "unknown element", """{"resourceType":"Basic","code":{"text":"x"},"colour":"red"}""", 400, "structure", "*" },
        { "missing element", """{"resourceType":"Basic"}""", 400, "required", "Basic.code" },
        { "bad date", """{"resourceType":"Basic","code":{"text":"x"},"created":"yesterday"}""", 400, "value", "Basic.created" },
        { "reference to a type that may not stand there", """{"resourceType":"Basic","code":{"text":"x"},"author":{"reference":"Medication/1"}}""", 400, "*", "*" },
        { "NUL in a string", "{\"resourceType\":\"Basic\",\"code\":{\"text\":\"a\\u0000b\"}}", 400, "*", "*" },
        { "property twice", """{"resourceType":"Basic","code":{"text":"x"},"code":{"text":"y"}}""", 400, "structure", "*" },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Create_OfABadBody_IsRefusedAndNothingIsStored(string what, string body, int status, string code, string? expression)
    {
        var before = await CountAsync("Basic");
        var answer = await _client.PostAsync("Basic", body);

        Assert.True(answer.Status == status, $"{what}: {answer.Status} {answer.Text}");
        AssertOutcome(answer, code, expression);
        Assert.Equal(before, await CountAsync("Basic"));
    }

    [Fact]
    public async Task Create_ReportsEveryProblemAtOnce()
    {
        var answer = await _client.PostAsync("Patient", """{"resourceType":"Patient","gender":"unclear","birthDate":"1980-13-45","colour":1}""");
        Assert.Equal(400, answer.Status);
        Assert.True(answer.Issues.Count >= 3, answer.Text);
        Assert.Contains(answer.Issues, issue => (string?)issue["expression"]?[0] == "Patient.gender");
        Assert.Contains(answer.Issues, issue => (string?)issue["expression"]?[0] == "Patient.birthDate");
        Assert.DoesNotContain("1980-13-45", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_OfInvalidUtf8_IsRefused()
    {
        var body = "{\"resourceType\":\"Basic\",\"code\":{\"text\":\"a?b\"}}"u8.ToArray();
        body[Array.IndexOf(body, (byte)'?')] = 0xFF;
        AssertOutcome(await _client.SendAsync("POST", "Basic", body), "structure", "*");
    }

    [Theory]
    [InlineData("Basic")]
    [InlineData("")]
    public async Task DepthOfTenThousand_IsRefused(string path)
    {
        var body = """{"resourceType":"Bundle","type":"batch","entry":""" + new string('[', 10_000) + new string(']', 10_000) + "}";
        var answer = await _client.PostAsync(path, body);
        Assert.Equal(400, answer.Status);
        AssertOutcome(answer, "*", "*");
    }

    [Fact]
    public async Task HundredMegabytes_AreRefusedUnread()
    {
        using var handler = new SocketsHttpHandler { UseProxy = false };
        using var http = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Base + "/Basic"))
        {
            Content = new StreamContent(new EndlessStream(100_000_000)),
        };
        request.Content.Headers.ContentType = new("application/fhir+json");
        request.Content.Headers.ContentLength = 100_000_000;
        request.Headers.Authorization = new("Bearer", "none");
        request.Headers.ExpectContinue = true;
        using var unauthenticated = await http.SendAsync(request);
        Assert.Equal(401, (int)unauthenticated.StatusCode);

        var answer = await _client.SendAsync("POST", "Basic", new byte[5_000_000]);
        Assert.Equal(413, answer.Status);
        AssertOutcome(answer, "too-long", null);
        Assert.Equal(200, (await server.Anonymous.GetAsync($"{server.Origin}/health/live")).Status);
    }

    [Theory]
    [InlineData("GET", "Nonsense", 404, "not-supported")]
    [InlineData("GET", "patient/1", 404, "not-supported")]
    [InlineData("GET", "Patient/no-such-id", 404, "not-found")]
    [InlineData("GET", "Patient/bad_id", 400, "value")]
    [InlineData("GET", "Patient/1/_history/x", 404, "not-found")]
    [InlineData("GET", "Patient/1/Nonsense", 404, "not-found")]
    [InlineData("GET", "Patient/1/Observation", 404, "not-supported")]
    [InlineData("GET", "Patient/$nonsense", 404, "not-supported")]
    [InlineData("POST", "$nonsense", 404, "not-supported")]
    [InlineData("GET", "_nonsense", 404, "not-found")]
    [InlineData("GET", "?name=x", 400, "not-supported")]
    [InlineData("PUT", "Patient/1/_history", 405, "not-supported")]
    [InlineData("PATCH", "Patient/1", 405, "not-supported")]
    [InlineData("DELETE", "", 405, "not-supported")]
    [InlineData("GET", "Appointment/$book", 405, "not-supported")]
    [InlineData("GET", "Patient?_format=xml", 406, "not-supported")]
    [InlineData("GET", "Patient?_format=turtle", 406, "not-supported")]
    [InlineData("GET", "Patient/1?_elements=name", 400, "not-supported")]
    [InlineData("GET", "Patient/1/_history?_since=yesterday", 400, "value")]
    [InlineData("GET", "Patient/1/_history?_at=2026", 400, "not-supported")]
    [InlineData("DELETE", "Patient", 400, "required")]
    public async Task WrongRequests_GetTheRightRefusal(string method, string path, int status, string code)
    {
        var answer = await _client.SendAsync(method, path.StartsWith('?') ? server.Base + path : path, null);
        Assert.True(answer.Status == status, $"{answer.Status} {answer.Text}");
        AssertOutcome(answer, code, null);
        Assert.Equal(status == 405, answer.Response.Content.Headers.Allow.Count > 0);
    }

    [Theory]
    [InlineData("application/xml", 415)]
    [InlineData("text/plain", 415)]
    [InlineData("application/x-www-form-urlencoded", 415)]
    [InlineData("application/fhir+json; charset=iso-8859-1", 415)]
    [InlineData("", 415)]
    [InlineData("application/json", 201)]
    [InlineData("application/fhir+json; charset=UTF-8; fhirVersion=4.0", 201)]
    public async Task ContentType_IsChecked(string contentType, int status)
    {
        var answer = await _client.PostAsync("Patient", """{"resourceType":"Patient"}""", ("Content-Type", contentType));
        Assert.True(answer.Status == status, $"{answer.Status} {answer.Text}");
    }

    [Theory]
    [InlineData("application/fhir+xml", 406)]
    [InlineData("text/html", 406)]
    [InlineData("application/fhir+json; fhirVersion=3.0", 406)]
    [InlineData("text/html, application/fhir+json;q=0.5", 200)]
    [InlineData("application/fhir+xml, */*;q=0.1", 200)]
    [InlineData("application/fhir+json; fhirVersion=4.0", 200)]
    public async Task Accept_IsChecked(string accept, int status) =>
        Assert.Equal(status, (await _client.GetAsync("Patient?_count=0", ("Accept", accept))).Status);

    [Fact]
    public async Task Update_WithAnotherIdOrNone_IsRefused()
    {
        AssertOutcome(await _client.PutAsync("Patient/a1", """{"resourceType":"Patient","id":"a2"}"""), "*", "Patient.id");
        AssertOutcome(await _client.PutAsync("Patient/a1", """{"resourceType":"Patient"}"""), "*", "Patient.id");
        Assert.Equal(404, (await _client.GetAsync("Patient/a1")).Status);
    }

    [Fact]
    public async Task HugeCount_IsAnsweredWithinTheServersOwnLimit()
    {
        var answer = await _client.GetAsync("Patient?_count=1000000000");
        Assert.True(answer.Status is 200 or 400, answer.Text);
        Assert.Equal(200, (await _client.GetAsync("Patient/_history?_count=1000000000")).Status);
    }

    [Fact]
    public async Task UnknownParameter_IsReportedOrRefusedUnderStrictHandling()
    {
        var lenient = await _client.GetAsync("Patient?colour=red&_count=1");
        Assert.Equal(200, lenient.Status);
        Assert.Contains(lenient.Entries, entry => (string?)entry["search"]?["mode"] == "outcome");
        var strict = await _client.GetAsync("Patient?colour=red", ("Prefer", "handling=strict"));
        Assert.Equal(400, strict.Status);
        AssertOutcome(strict, "*", null);
    }

    [Fact]
    public async Task TooManyParameters_AreRefused()
    {
        var answer = await _client.SendAsync("POST", "Patient/_search", Encoding.UTF8.GetBytes(string.Join('&', Enumerable.Repeat("name=x", 100_000))),
            ("Content-Type", "application/x-www-form-urlencoded"));
        Assert.Equal(400, answer.Status);
        AssertOutcome(answer, "too-costly", null);
    }

    private async Task<int> CountAsync(string type) => (int)(await _client.GetAsync($"{type}?_summary=count")).Json["total"]!;

    private static void AssertOutcome(Answer answer, string code, string? expression)
    {
        Assert.True(answer.Status >= 400, answer.Text);
        Assert.Equal("OperationOutcome", (string?)answer.Json["resourceType"]);
        Assert.NotEmpty(answer.Issues);
        foreach (var issue in answer.Issues)
        {
            Assert.False(string.IsNullOrWhiteSpace((string?)issue["diagnostics"]), answer.Text);
        }
        if (code != "*")
        {
            Assert.True(answer.Issues.Any(issue => (string?)issue["code"] == code), answer.Text);
        }
        if (expression is not null and not "*")
        {
            Assert.True(answer.Issues.Any(issue => (string?)issue["expression"]?[0] == expression), answer.Text);
        }
    }

    /// <summary>So many blanks, made as they are read. <see cref="Stream"/> asks for members that such a stream has no use for; as it prescribes, they say so.</summary>
    private sealed class EndlessStream(long bytes) : Stream
    {
        private readonly long _length = bytes;
        private long _left = bytes;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => _length;

        public override long Position { get => _length - _left; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var given = (int)Math.Min(count, _left);
            Array.Fill(buffer, (byte)' ', offset, given);
            _left -= given;
            return given;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
