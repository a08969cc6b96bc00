using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using CsCheck;

namespace FhirStore.Tests.Json;

/// <summary>The regular expressions of https://hl7.org/fhir/R4/datatypes.html and the framework's calendar are the oracle.</summary>
public sealed partial class PrimitiveFormatTests
{
    [Theory]
    [InlineData("date", "2024 2024-12 2024-02-29 0001-01-01 9999-12-31", "24 2024-13 2024-00 2023-02-29 2024-04-31 0000 2024-1-1 2024-02-29T 20240229 2024-02-00 -2024 2024-02-29Z")]
    [InlineData("dateTime", "2024 2024-12 2024-02-29 2024-02-29T00:00:00Z 2024-02-29T23:59:60.123456789012+14:00 2024-02-29T10:00:00-13:59", "2024-02-29T10:00Z 2024-02-29T10:00:00 2024-02-29T24:00:00Z 2024-02-29T10:60:00Z 2024-02-29T10:00:61Z 2024-02-30T10:00:00Z 2024-02-29T10:00:00.Z 2024-02-29T10:00:00+14:01 2024-02-29T10:00:00z 2024-02-29t10:00:00Z 2024-02-29T10:00:00+0200 2024-02-29T10:00:00+15:00 2024-02-29T+02:00")]
    [InlineData("instant", "2024-02-29T00:00:00Z 2024-02-29T00:00:00.001+02:00", "2024 2024-02-29 2024-02-29T00:00:00 2024-02-29T00:00Z")]
    [InlineData("time", "00:00:00 23:59:59.9 12:30:60", "24:00:00 12:30 12:30:00Z 1:30:00 12:30:00. 12:60:00 12-30-00")]
    [InlineData("id", "a A-1.b 1234567890123456789012345678901234567890123456789012345678901234", "a_b a/b 12345678901234567890123456789012345678901234567890123456789012345 é")]
    [InlineData("oid", "urn:oid:1.2 urn:oid:2.16.840.1.113883 urn:oid:0.0", "urn:oid:3.1 urn:oid:1 urn:oid:1.02 urn:oid:1. 1.2.3 urn:oid: urn:oid:1..2 urn:OID:1.2")]
    [InlineData("uuid", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "c757873d-ec9a-4326-a141-556f43239520 urn:uuid:C757873D-EC9A-4326-A141-556F43239520 urn:uuid:c757873dec9a4326a141556f43239520 urn:uuid:c757873d-ec9a-4326-a141-556f4323952g urn:uuid:")]
    [InlineData("base64Binary", "aGk= aGkh QUJD", "a aGk aGk=== a-_= =")]
    [InlineData("code", "a a-b 1", "")]
    [InlineData("uri", "http://x urn:a:b #x not-a-url", "")]
    public void Strings(string type, string right, string wrong)
    {
        Assert.All(Split(right), value => Assert.True(IsRight(type, JsonSerializer.Serialize(value)), value));
        Assert.All(Split(wrong), value => Assert.False(IsRight(type, JsonSerializer.Serialize(value)), value));
        Assert.False(IsRight(type, "\"\""));
        Assert.False(IsRight(type, "1"));
    }

    [Theory]
    [InlineData("code", "\" a\"", false)]
    [InlineData("code", "\"a \"", false)]
    [InlineData("code", "\"a b\"", true)]
    [InlineData("code", "\"a  b\"", false)]
    [InlineData("code", "\"a\\tb\"", true)]
    [InlineData("uri", "\"a b\"", false)]
    [InlineData("url", "\"http://x\\n\"", false)]
    [InlineData("canonical", "\"http:\\/\\/x|1\"", true)]
    [InlineData("base64Binary", "\"aGkh\\r\\n aGkh\"", true)]
    [InlineData("base64Binary", "\"  \"", false)]
    [InlineData("string", "\" a \"", true)]
    [InlineData("markdown", "\"\\n\"", false)]
    [InlineData("boolean", "true", true)]
    [InlineData("boolean", "\"true\"", false)]
    [InlineData("boolean", "1", false)]
    [InlineData("integer", "0", true)]
    [InlineData("integer", "-0", false)]
    [InlineData("integer", "-2147483648", true)]
    [InlineData("integer", "2147483647", true)]
    [InlineData("integer", "2147483648", false)]
    [InlineData("integer", "-2147483649", false)]
    [InlineData("integer", "99999999999999999999", false)]
    [InlineData("integer", "1.0", false)]
    [InlineData("integer", "1e2", false)]
    [InlineData("unsignedInt", "0", true)]
    [InlineData("unsignedInt", "-1", false)]
    [InlineData("positiveInt", "1", true)]
    [InlineData("positiveInt", "0", false)]
    [InlineData("decimal", "-0.00", true)]
    [InlineData("decimal", "1E+22", true)]
    [InlineData("decimal", "3.14159265358979323846264338327950288419716939937510", true)]
    [InlineData("decimal", "1e-0999", true)]
    [InlineData("decimal", "1e1000", false)]
    [InlineData("decimal", "1e999999999999", false)]
    [InlineData("decimal", "\"1.0\"", false)]
    public void Cases(string type, string json, bool right) => Assert.Equal(right, IsRight(type, json));

    [Fact]
    public void String_LongerThanAMegabyte_Refused()
    {
        Assert.True(IsRight("string", $"\"{new string('é', 1024 * 1024)}\""));
        Assert.False(IsRight("string", $"\"{new string('a', (1024 * 1024) + 1)}\""));
    }

    [Fact]
    public void Dates_NearlyRight_AsTheRegexAndTheCalendarSay()
    {
        var digits = Gen.OneOf("00", "01", "02", "04", "09", "12", "13", "23", "24", "28", "29", "30", "31", "59", "60", "61", "99", "7", "a1");
        var gen = Gen.Select(
            Gen.OneOf("2023", "2024", "1900", "2000", "0000", "0001", "9999", "202", "20x4"), digits, digits,
            Gen.Select(digits, digits, digits), Gen.OneOf("", "Z", "+14:00", "-14:30", "+01:00", "z", "+1:00"), Gen.Int[1, 6]);
        gen.Sample((year, month, day, time, zone, parts) =>
        {
            var text = year + (parts > 1 ? "-" + month : "") + (parts > 2 ? "-" + day : "") +
                (parts > 3 ? $"T{time.Item1}:{time.Item2}{(parts > 4 ? ":" + time.Item3 : "")}{(parts > 5 ? ".5" : "")}{zone}" : "");
            var expected = DateTimePattern().IsMatch(text) &&
                (text.Length < 10 || DateOnly.TryParseExact(text[..10], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _));
            Assert.Equal(expected, IsRight("dateTime", $"\"{text}\""));
            Assert.Equal(expected && parts <= 3, IsRight("date", $"\"{text}\""));
            Assert.Equal(expected && parts > 3, IsRight("instant", $"\"{text}\""));
        }, iter: 3000);
    }

    [Fact]
    public void Ids_AnyText_AsTheRegexSays() => Gen.String[Gen.Char["aZ09-._/ é\"\\"], 0, 70].Sample(text =>
        Assert.Equal(IdPattern().IsMatch(text), IsRight("id", JsonSerializer.Serialize(text))), iter: 2000);

    [Theory]
    [InlineData("<div>a</div>", true)]
    [InlineData("<div xmlns=\"http://www.w3.org/1999/xhtml\"><p class='x'>a &lt; b<br/>&#160;&eacute;<!-- c --></p></div>", true)]
    [InlineData(" <div >a<img src=\"#i\" alt=\"one\" /></div > \n", true)]
    [InlineData("<div><a href=\"http://x?a=1&amp;b=2\">a</a></div>", true)]
    [InlineData("a", false)]
    [InlineData("<p>a</p>", false)]
    [InlineData("<divx>a</divx>", false)]
    [InlineData("<div>", false)]
    [InlineData("<div/>b", false)]
    [InlineData("<div>a</p>", false)]
    [InlineData("<div><b>a</div></b>", false)]
    [InlineData("<div>a</div><div>b</div>", false)]
    [InlineData("<div>a & b</div>", false)]
    [InlineData("<div>a < b</div>", false)]
    [InlineData("<div a=b>a</div>", false)]
    [InlineData("<div a=\"1\"b=\"2\">a</div>", false)]
    [InlineData("<div><?php ?></div>", false)]
    [InlineData("<!DOCTYPE x><div>a</div>", false)]
    [InlineData("<div><!-- a</div>", false)]
    [InlineData("<div><script>a()</script></div>", false)]
    [InlineData("<div><SCRIPT src=\"x\"/></div>", false)]
    [InlineData("<div onclick=\"a()\">a</div>", false)]
    [InlineData("<div><img src=\"x\" OnError='a()'/></div>", false)]
    [InlineData("<div><a href=\" java\tscript:a()\">a</a></div>", false)]
    [InlineData("<div><a href=\"&#106;avascript:a()\">a</a></div>", false)]
    [InlineData("<div><iframe src=\"http://x\"></iframe></div>", false)]
    [InlineData("<div><form action=\"x\"></form></div>", false)]
    [InlineData("<div><style>a{}</style></div>", false)]
    public void Narratives(string div, bool right)
    {
        var json = $$"""{"resourceType":"Patient","text":{"status":"generated","div":{{JsonSerializer.Serialize(div)}} } }""";
        Assert.Equal(right ? [] : ["value Patient.text.div"], Bodies.Issues(json));
    }

    [Fact]
    public void Narrative_NestedWithoutEnd_Refused()
    {
        var deep = string.Concat(Enumerable.Repeat("<div>", 10_000)) + string.Concat(Enumerable.Repeat("</div>", 10_000));
        Assert.Equal(["value Patient.text.div"], Bodies.Issues($$"""{"resourceType":"Patient","text":{"status":"generated","div":"{{deep}}"} }"""));
    }

    private static string[] Split(string values) => values.StartsWith(' ') || values.Length == 0 ? [] : values.Split(' ');

    private static bool IsRight(string type, string json) =>
        Bodies.Issues($$"""{"resourceType":"Parameters","parameter":[{"name":"x","value{{char.ToUpperInvariant(type[0])}}{{type[1..]}}":{{json}} }]}""").Length == 0;

    // dateTime's regex of https://hl7.org/fhir/R4/datatypes.html#dateTime
    [GeneratedRegex(@"\A([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)(-(0[1-9]|1[0-2])(-(0[1-9]|[1-2][0-9]|3[0-1])(T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?(Z|(\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00)))?)?)?\z")]
    private static partial Regex DateTimePattern();

    [GeneratedRegex(@"\A[A-Za-z0-9\-\.]{1,64}\z")]
    private static partial Regex IdPattern();
}
