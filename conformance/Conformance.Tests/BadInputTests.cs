using System.Net;
using System.Text;

namespace Conformance.Tests;

/// <summary>Whatever comes in, the answer tells a client's developer what is wrong, nothing is stored, and the server stays up.</summary>
public sealed class BadInputTests(ServerUnderTest server)
{
    public static TheoryData<string, byte[]> Bodies => new()
    {
        { "no JSON", "{"u8.ToArray() },
        { "no object", "[1]"u8.ToArray() },
        { "empty", [] },
        { "no type", "{}"u8.ToArray() },
        { "another type", """{"resourceType":"Slot"}"""u8.ToArray() },
        { "no R4 type", """{"resourceType":"Nonsense"}"""u8.ToArray() },
        { "unknown element", """{"resourceType":"Patient","colour":"blue"}"""u8.ToArray() },
        { "wrong JSON type", """{"resourceType":"Patient","active":"yes"}"""u8.ToArray() },
        { "object for a list", """{"resourceType":"Patient","name":{"family":"x"}}"""u8.ToArray() },
        { "wrong code", """{"resourceType":"Patient","gender":"robot"}"""u8.ToArray() },
        { "wrong date", """{"resourceType":"Patient","birthDate":"1999-02-30"}"""u8.ToArray() },
        { "missing element", """{"resourceType":"Patient","link":[{"type":"seealso"}]}"""u8.ToArray() },
        { "wrong target", """{"resourceType":"Patient","managingOrganization":{"reference":"Patient/1"}}"""u8.ToArray() },
        { "property twice", """{"resourceType":"Patient","active":true,"active":false}"""u8.ToArray() },
        { "text after the end", """{"resourceType":"Patient"} {"resourceType":"Patient"}"""u8.ToArray() },
        { "invalid UTF-8", [.. """{"resourceType":"Patient","name":[{"family":"x"""u8, 0xC3, 0x28, .. "\"}]}"u8] },
        { "NUL", """{"resourceType":"Patient","name":[{"family":"a\u0000b"}]}"""u8.ToArray() },
        { "depth", Encoding.UTF8.GetBytes("""{"resourceType":"Patient","extension":""" + string.Concat(Enumerable.Repeat("[{\"extension\":", 10_000))) },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Create_OfABadBody_IsRefusedWithAReason(string what, byte[] body)
    {
        var answer = await ServerUnderTest.SendAsync(server.Http, HttpMethod.Post, "Patient", new ByteArrayContent(body));

        Assert.True(answer.Status is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity, $"{what}: {answer.Status} {answer.Text}");
        answer.Refused(answer.Status);
    }

    [Fact]
    public async Task Create_WithSeveralProblems_ReportsThemAllWithTheirPlaces()
    {
        var answer = (await server.SendAsync(HttpMethod.Post, "Patient", """{"resourceType":"Patient","active":"yes","gender":"robot","name":[{"family":"x"},{"famly":"y"}]}""")).Refused(HttpStatusCode.BadRequest);
        var expressions = answer.Body!["issue"]!.AsArray().Select(issue => (string?)issue!["expression"]?[0]).ToArray();

        Assert.Contains("Patient.active", expressions);
        Assert.Contains("Patient.gender", expressions);
        Assert.Contains(expressions, expression => expression?.StartsWith("Patient.name[1]", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task Create_OfAnotherMediaType_IsUnsupported() =>
        (await ServerUnderTest.SendAsync(server.Http, HttpMethod.Post, "Patient", new StringContent("<Patient/>", Encoding.UTF8, "text/html"))).Refused(HttpStatusCode.UnsupportedMediaType);

    [Fact]
    public async Task Create_OfAHundredMegabytes_IsTooLarge()
    {
        var answer = await ServerUnderTest.SendAsync(server.Http, HttpMethod.Post, "Patient", new ByteArrayContent(new byte[100 << 20]), ("Expect", "100-continue"));

        answer.Refused(HttpStatusCode.RequestEntityTooLarge);
        (await server.GetAsync("metadata")).Is(HttpStatusCode.OK);
    }
}
