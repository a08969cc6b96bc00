using System.Text;
using FhirCore;
using FhirStore.Json;

namespace FhirStore.Tests.Json;

public sealed class JsonSyntaxTests
{
    [Theory]
    [InlineData("", "The body is empty")]
    [InlineData("{\"resourceType\":\"Patient\"", "It ends before the resource does.")]
    [InlineData("{\"resourceType\":\"Patient\",}", "A comma stands before the closing bracket.")]
    [InlineData("{\"resourceType\":\"Patient\" /* x */}", "JSON has no comments.")]
    [InlineData("{'resourceType':'Patient'}", "double quotes")]
    [InlineData("{\"resourceType\":\"Patient\",\"id\":\"a\nb\"}", "control character")]
    [InlineData("{\"resourceType\":\"Patient\",\"id\":\"a\0b\"}", "NUL")]
    [InlineData("{\"resourceType\":\"Patient\"}\0", "NUL")]
    [InlineData("{\"resourceType\":\"Patient\"}{}", "line 1, byte 27")]
    [InlineData("{\n\"resourceType\":\n  Patient}", "line 3, byte 3")]
    [InlineData("{\"resourceType\":\"Patient\",\"active\":tru}", "not well-formed")]
    [InlineData("{\"resourceType\":\"Patient\",\"multipleBirthInteger\":01}", "not well-formed")]
    [InlineData("<Patient/>", "line 1, byte 1")]
    public void Parse_NoJson_SaysWhere(string body, string says)
    {
        var failure = Bodies.Parse(body).Failure!;
        Assert.Equal(FailureKind.Invalid, failure.Kind);
        var issue = Assert.Single(failure.Issues);
        Assert.Equal("structure", issue.Code);
        Assert.Contains(says, issue.Diagnostics, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new byte[] { 0xC3, 0x28 })]
    [InlineData(new byte[] { 0xED, 0xA0, 0x80 })] // an encoded surrogate
    [InlineData(new byte[] { 0xC0, 0x80 })] // an overlong NUL
    [InlineData(new byte[] { 0xFF })]
    public void Parse_NoUtf8_SaysWhere(byte[] bad)
    {
        byte[] body = [.. "{\n\"resourceType\":\"Patient\",\"id\":\""u8, .. bad, .. "\"}"u8];
        Assert.Equal("The body is not UTF-8 at line 2, byte 32.", ResourceParser.Parse(body, null).Failure!.Issues[0].Diagnostics);
    }

    [Theory]
    [InlineData("\\ud800")]
    [InlineData("\\udc00\\ud800")]
    [InlineData("\\ud800x")]
    [InlineData("\\ud800\\u0041")]
    public void Parse_HalfASurrogatePair_Refused(string escaped) =>
        Assert.Equal(["value Patient.name[0].family"], Bodies.Issues($$"""{"resourceType":"Patient","name":[{"family":"a{{escaped}}"}]}"""));

    [Theory]
    [InlineData("\\u0000", false)]
    [InlineData("\\u001b", false)]
    [InlineData("\\b", false)]
    [InlineData("\\t\\r\\n", true)]
    [InlineData("\\ud83d\\ude00", true)]
    [InlineData("\\\\ud800", true)]
    public void Parse_EscapedControlCharacters(string escaped, bool right) =>
        Assert.Equal(right, Bodies.Issues($$"""{"resourceType":"Patient","name":[{"family":"a{{escaped}}"}]}""").Length == 0);

    [Fact]
    public void Parse_EscapedPropertyName_IsUnknown() =>
        Assert.Equal(["structure Patient.active"], Bodies.Issues("""{"resourceType":"Patient","\u0061ctive":true}"""));

    [Theory]
    [InlineData(65)]
    [InlineData(10_000)]
    [InlineData(1_000_000)]
    public void Parse_TooDeep_Refused(int depth)
    {
        var body = "{\"resourceType\":\"Patient\",\"x\":" + new string('[', depth) + new string(']', depth) + "}";
        Assert.Contains("deeper than 64", Assert.Single(Bodies.Parse(body).Failure!.Issues).Diagnostics, StringComparison.Ordinal);
        var open = string.Concat(Enumerable.Repeat("{\"extension\":[", depth));
        Assert.Contains("deeper than 64", Assert.Single(Bodies.Parse(open).Failure!.Issues).Diagnostics, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_AsDeepAsAllowed_Walked()
    {
        // Patient, then 31 extensions each in its array: 63 levels.
        var body = new StringBuilder("{\"resourceType\":\"Patient\"");
        for (var i = 0; i < 31; i++)
        {
            body.Append(i == 0 ? ",\"extension\":[{\"url\":\"u\"" : ",\"extension\":[{\"url\":\"u\"");
        }
        body.Append(",\"valueBoolean\":true").Append(string.Concat(Enumerable.Repeat("}]", 31))).Append('}');
        Assert.Empty(Bodies.Issues(body.ToString()));
    }
}
