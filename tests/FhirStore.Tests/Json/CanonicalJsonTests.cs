using System.Text;
using System.Text.Json;
using CsCheck;
using FhirStore.Json;

namespace FhirStore.Tests.Json;

public sealed class CanonicalJsonTests
{
    private static readonly DateTimeOffset At = new(2024, 5, 6, 9, 8, 7, 65, TimeSpan.FromHours(2));

    private static string Write(string json, Func<string, string?>? rewrite = null)
    {
        using var document = JsonDocument.Parse(json);
        return Encoding.UTF8.GetString(CanonicalJson.Write(document.RootElement, "new", 3, At, rewrite));
    }

    [Fact]
    public void Write_HeadFirst_RestInOrder() => Assert.Equal(
        """{"resourceType":"Patient","id":"new","meta":{"versionId":"3","lastUpdated":"2024-05-06T07:08:07.065Z"},"active":true,"birthDate":"2020"}""",
        Write(" { \"active\" : true ,\n\t\"id\":\"old\", \"birthDate\": \"2020\"\r\n,\"resourceType\" :\"Patient\"} "));

    [Fact]
    public void Write_ClientsMeta_KeptButForVersionAndTime() => Assert.Equal(
        """{"resourceType":"Patient","id":"new","_id":{"extension":[{"url":"u","valueCode":"x"}]},"meta":{"versionId":"3","lastUpdated":"2024-05-06T07:08:07.065Z","extension":[{"url":"u","valueCode":"x"}],"source":"urn:a","profile":["http://p"],"security":[{"code":"R"}],"tag":[{"code":"t"}]},"active":true}""",
        Write("""
            {"resourceType":"Patient","active":true,"_id":{"extension":[{"url":"u","valueCode":"x"}]},
             "meta":{"versionId":"77","_versionId":{"id":"x"},"extension":[{"url":"u","valueCode":"x"}],"source":"urn:a","lastUpdated":"2000-01-01T00:00:00Z","_lastUpdated":{"id":"y"},
             "profile":["http://p"],"security":[{"code":"R"}],"tag":[{"code":"t"}]}}
            """));

    [Fact]
    public void Write_MetaAndIdDeeperDown_Untouched() => Assert.EndsWith(
        ""","contained":[{"resourceType":"Patient","id":"c","meta":{"versionId":"1"}}]}""",
        Write("""{"resourceType":"Patient","contained":[{"resourceType":"Patient","id":"c","meta":{"versionId":"1"}}]}"""), StringComparison.Ordinal);

    [Theory]
    [InlineData("1.0")]
    [InlineData("1.00")]
    [InlineData("1e3")]
    [InlineData("-0.10E-07")]
    [InlineData("100000000000000000000000000.000000000000000000000001")]
    public void Write_Numbers_ByteForByte(string number) =>
        Assert.Contains($"\"value\":{number}}}", Write($$"""{"resourceType":"Observation","valueQuantity":{"value" : {{number}} } }"""), StringComparison.Ordinal);

    [Theory]
    [InlineData("a  b", "a  b")]
    [InlineData("é\\u00e9\\u00E9", "ééé")]
    [InlineData("\\ud83d\\ude00", "😀")]
    [InlineData("http:\\/\\/x", "http://x")]
    [InlineData("\\\"\\\\\\n\\r\\t", "\\\"\\\\\\n\\r\\t")]
    [InlineData("\\u0022\\u005c\\u000a\\u000D\\u0009", "\\\"\\\\\\n\\r\\t")]
    [InlineData("\\u007f<'&>", "\u007f<'&>")]
    [InlineData("\\\\u0041", "\\\\u0041")]
    [InlineData("{ \\\" : \\\" , }", "{ \\\" : \\\" , }")]
    public void Write_Strings_InTheirShortestEscapes(string raw, string written) =>
        Assert.EndsWith($",\"text\":\"{written}\"}}", Write($$"""{"resourceType":"Basic","text":"{{raw}}"}"""), StringComparison.Ordinal);

    [Fact]
    public void Write_AnyStrings_ReadBackEqual() => Gen.String[Gen.Char, 0, 40].Where(s => !HasLoneSurrogate(s)).Sample(text =>
    {
        using var read = JsonDocument.Parse(Write($$"""{ "resourceType" : "Basic" , "text" : {{JsonSerializer.Serialize(text)}} }"""));
        Assert.Equal(text, read.RootElement.GetProperty("text").GetString());
    }, iter: 500);

    [Fact]
    public void Write_Rewrite_ReferencesAndUrnsOnly()
    {
        var asked = new List<string>();
        var json = Write(
            """
            {"resourceType":"Patient","identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:uuid:1"}],"link":[{"other":{"reference" : "urn:uuid:1","display":"reference"}}],
             "generalPractitioner":[{"reference":"Practitioner/5"},{"reference":"urn\u003auuid:1"}],"photo":[{"url":"urn:oid:1.2"},{"url":"http://x"}],
             "contained":[{"resourceType":"Patient","id":"c","managingOrganization":{"reference":"urn:uuid:1"}}],
             "text":{"status":"generated","div":"<div><a href=\"urn:uuid:1\">x</a></div>"}}
            """,
            text =>
            {
                asked.Add(text);
                return text == "urn:uuid:1" ? "Patient/\"1\"" : null;
            });
        Assert.Equal(["urn:uuid:1", "Practitioner/5", "urn:uuid:1", "urn:oid:1.2", "urn:uuid:1"], asked);
        Assert.EndsWith(
            ""","identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:uuid:1"}],"link":[{"other":{"reference":"Patient/\"1\"","display":"reference"}}],"generalPractitioner":[{"reference":"Practitioner/5"},{"reference":"Patient/\"1\""}],"photo":[{"url":"urn:oid:1.2"},{"url":"http://x"}],"contained":[{"resourceType":"Patient","id":"c","managingOrganization":{"reference":"Patient/\"1\""}}],"text":{"status":"generated","div":"<div><a href=\"urn:uuid:1\">x</a></div>"}}""",
            json, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_OfItsOwnOutput_ChangesNothing()
    {
        var once = Write("""{ "resourceType":"Patient", "name":[ { "given" : [ "a", null ] , "_given":[null,{"id":"x"}] } ] ,"text":{"status":"generated","div":"<div> a\u00a0\"b\" </div>"}}""");
        Assert.Equal(once, Write(once));
    }

    private static bool HasLoneSurrogate(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar)
            {
                return true;
            }
        }
        return false;
    }
}
