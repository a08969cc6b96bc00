using System.Text;
using System.Xml.Linq;
using CsCheck;
using Forecasting.Serving;
using Forecasting.Tests.Support;
using Forecasting.Wire;

namespace Forecasting.Tests.Wire;

public sealed class FormsTests
{
    private const string Nasty = """=HYPERLINK("http://evil")<script>alert(1)</script>&amp;, "quoted" """;

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("Weiß, Ada", "\"Weiß, Ada\"")]
    [InlineData("say \"ah\"", "\"say \"\"ah\"\"\"")]
    [InlineData("two\nlines", "\"two\nlines\"")]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("@sum", "'@sum")]
    [InlineData("-7,5", "\"'-7,5\"")]
    [InlineData("", "")]
    public void Cell_AnyText_IsNoFormulaAndOneCell(string text, string cell) => Assert.Equal(cell, ForecastCsv.Cell(text));

    [Fact]
    public void Escape_AnyText_IsReadBackByXmlAndIsNoMarkup() => Gen.String.Sample(text =>
    {
        var read = XElement.Parse($"<t>{ForecastChart.Escape(text)}</t>", LoadOptions.PreserveWhitespace);
        Assert.Empty(read.Elements());
        Assert.Equal(string.Concat(text.Where(c => !char.IsControl(c) && !char.IsSurrogate(c) && c is not ('\uFFFE' or '\uFFFF'))), read.Value);
    });

    [Theory]
    [InlineData("day", 7)]
    [InlineData("week", 7)]
    [InlineData("hour", 3)]
    [InlineData("day", 366)]
    public async Task Chart_OfAnythingWithAnyName_IsWellFormedWithoutScriptOrStyle(string granularity, int horizon)
    {
        using var house = await House.OpenAsync();
        await house.PutAsync($$"""{"resourceType":"Practitioner","id":"p","name":[{"text":{{System.Text.Json.JsonSerializer.Serialize(Nasty)}} }]}""");
        await house.PutAsync("""{"resourceType":"Practitioner","id":"q"}"""); // never had a visit
        await house.WeeksAsync(20, 2, "room", "Practitioner/p");
        await house.FollowAsync();

        var answer = await house.InvokeAsync(ForecastingOperation.Forecast, "Practitioner", null, AnswerForm.Svg, ("granularity", granularity), ("horizon", $"{horizon}"));

        var svg = XDocument.Parse(Encoding.UTF8.GetString(answer.Value.Span)).Root!;
        Assert.Equal("svg", svg.Name.LocalName);
        Assert.Equal(["g", "line", "rect", "text", "title"], svg.Descendants().Select(element => element.Name.LocalName).Distinct().Order());
        Assert.DoesNotContain(svg.DescendantsAndSelf().Attributes(), attribute => attribute.Name.LocalName.StartsWith("on", StringComparison.Ordinal) || attribute.Name.LocalName is "href" or "style");
        Assert.Contains(svg.Descendants(), text => text.Value.Contains("<script>alert(1)</script>", StringComparison.Ordinal)); // as text
        Assert.Contains(svg.Descendants(), text => text.Value.StartsWith("Do not plan on this alone.", StringComparison.Ordinal));
        Assert.DoesNotContain("NaN", svg.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Csv_EveryRow_HasAsManyCellsAsTheHead()
    {
        using var house = await House.OpenAsync();
        await house.PutAsync("""{"resourceType":"Practitioner","id":"p","name":[{"text":"Ada"}]}""");
        await house.WeeksAsync(10, 2, "room", "Practitioner/p");
        await house.FollowAsync();
        foreach (var operation in (ForecastingOperation[])[ForecastingOperation.Forecast, ForecastingOperation.Capacity])
        {
            var text = Encoding.UTF8.GetString((await house.InvokeAsync(operation, "Practitioner", "p", AnswerForm.Csv)).Value.Span);
            var rows = text.Split("\r\n")[..^1].Select(row => System.Text.RegularExpressions.Regex.Matches(row, "(?:^|,)(?:\"[^\"]*\"|[^,]*)").Count).ToList();
            Assert.True(rows.Count > 4);
            Assert.Single(rows.Distinct());
        }
    }
}
