using System.Globalization;
using System.Text;
using Forecasting.Serving;
using Forecasting.Series;

namespace Forecasting.Wire;

/// <summary>Forecasts as a picture: one panel for each subject, past counts in grey, what is expected as a range with a stroke, bookings so far as a slim bar.</summary>
internal static class ForecastChart
{
    private const double Width = 960, PanelHeight = 230, Left = 52, Right = 20, Top = 62, Bottom = 30;
    private const double NarrowestTick = 36;
    private const int PastDays = 56, PastWeeks = 26;

    /// <summary>Looks as attributes: the server's answers allow no style sheets, not even their own.</summary>
    private const string Title = "font-size=\"15\" font-weight=\"600\"", Note = "fill=\"#666\"", Doubt = "fill=\"#b3261e\"", Axis = "stroke=\"#bbb\"", Grid = "stroke=\"#eee\"",
        Now = "stroke=\"#888\" stroke-dasharray=\"3 3\"", PastBar = "fill=\"#aeb6bf\"", Range = "fill=\"#bcd6f2\"", Booked = "fill=\"#1f5fa8\" fill-opacity=\".45\"",
        Expected = "stroke=\"#0b3d75\" stroke-width=\"2\"";

    /// <param name="Past">What was counted; null for what lies ahead.</param>
    private readonly record struct Bar(DateOnly Day, int? Hour, double? Past, ForecastPoint Point);

    public static ReadOnlyMemory<byte> Write(IReadOnlyList<SubjectForecast> forecasts, LoadQuestion question)
    {
        var svg = new StringBuilder();
        var height = Math.Max(1, forecasts.Count) * PanelHeight;
        Add(svg, $"""<svg xmlns="http://www.w3.org/2000/svg" width="{Width}" height="{height}" viewBox="0 0 {Width} {height}" role="img" font-family="system-ui,sans-serif" font-size="12" fill="#333">""");
        Add(svg, $"<title>{Noun(question.Measure)} visits, {question.Horizon} days ahead</title>");
        Add(svg, $"""<rect width="{Width}" height="{height}" fill="#fff"/>""");
        if (forecasts.Count == 0)
        {
            Add(svg, $"""<text x="{Left}" y="40">There is nothing within reach.</text>""");
        }
        for (var i = 0; i < forecasts.Count; i++)
        {
            Add(svg, $"""<g transform="translate(0 {i * PanelHeight})">""");
            Panel(svg, forecasts[i], question);
            svg.Append("</g>");
        }
        svg.Append("</svg>\n");
        return Encoding.UTF8.GetBytes(svg.ToString());
    }

    private static void Panel(StringBuilder svg, SubjectForecast forecast, LoadQuestion question)
    {
        var points = ForecastPoints.Of(forecast, question.Granularity, question.Horizon, question.Percent).ToList();
        Head(svg, forecast, question, points);
        var bars = Past(forecast, question.Granularity).Concat(points.Select(point => new Bar(point.Day, point.Hour, null, point))).ToList();
        var top = Scale(bars.Select(bar => Math.Max(bar.Past ?? 0, Math.Max(bar.Point.Upper, bar.Point.Booked))).DefaultIfEmpty(0).Max());
        double X(double bar) => Left + ((Width - Left - Right) * bar / Math.Max(1, bars.Count));
        double Y(double value) => PanelHeight - Bottom - ((PanelHeight - Top - Bottom) * value / top);
        for (var line = 0; line <= 4; line++)
        {
            var value = top * line / 4;
            Add(svg, $"""<line {(line == 0 ? Axis : Grid)} x1="{Left}" x2="{Width - Right}" y1="{Y(value):0.#}" y2="{Y(value):0.#}"/>""");
            Add(svg, $"""<text {Note} x="{Left - 6}" y="{Y(value) + 4:0.#}" text-anchor="end">{value:0.##}</text>""");
        }
        var (width, lastTick) = ((X(1) - X(0)) * 0.76, -NarrowestTick);
        for (var i = 0; i < bars.Count; i++)
        {
            var (bar, x) = (bars[i], X(i) + ((X(1) - X(0)) * 0.12));
            if (bar.Past is { } count)
            {
                Rectangle(svg, PastBar, x, Y(count), width, Y(0) - Y(count));
            }
            else if (bar.Point.IsOpen)
            {
                Rectangle(svg, Range, x, Y(bar.Point.Upper), width, Y(bar.Point.Lower) - Y(bar.Point.Upper));
                Rectangle(svg, Booked, x + (width * 0.3), Y(bar.Point.Booked), width * 0.4, Y(0) - Y(bar.Point.Booked));
                Add(svg, $"""<line {Expected} x1="{x:0.#}" x2="{x + width:0.#}" y1="{Y(bar.Point.Value):0.#}" y2="{Y(bar.Point.Value):0.#}"/>""");
            }
            if (Tick(bar, i == 0 ? null : bars[i - 1], question.Granularity) is { } tick && X(i) - lastTick >= NarrowestTick)
            {
                lastTick = X(i);
                Add(svg, $"""<text {Note} x="{X(i):0.#}" y="{PanelHeight - Bottom + 16}">{tick}</text>""");
            }
        }
        var today = X(bars.Count - points.Count);
        Add(svg, $"""<line {Now} x1="{today:0.#}" x2="{today:0.#}" y1="{Top - 6}" y2="{PanelHeight - Bottom}"/>""");
    }

    private static void Head(StringBuilder svg, SubjectForecast forecast, LoadQuestion question, List<ForecastPoint> points)
    {
        var made = forecast.Forecast;
        Add(svg, $"""<text {Title} x="{Left}" y="22">{Escape(forecast.Subject.Title)}: {Noun(question.Measure)} visits, about {points.Sum(point => point.Value):0} in {question.Horizon} days</text>""");
        var error = made is { Mase: { } mase, MeanMase: { } mean } ? string.Create(CultureInfo.InvariantCulture, $"; error {mase:0.00} of repeating the last week, 8-week mean {mean:0.00}") : "";
        Add(svg, $"""<text {Note} x="{Left}" y="40">Range: {question.Percent} %. Method: {Escape(made.Method)}{error}</text>""");
        if (!forecast.IsTrusted)
        {
            var why = DoubtTexts.Of(made.Doubts & Daily.DailyForecast.Distrusted).Concat(forecast.LacksOutcomes ? [DoubtTexts.LacksOutcomes] : []).Select(doubt => doubt.Text).First();
            Add(svg, $"""<text {Doubt} x="{Left}" y="55">Do not plan on this alone. {Escape(why)}</text>""");
        }
    }

    private static IEnumerable<Bar> Past(SubjectForecast forecast, Granularity granularity)
    {
        var today = forecast.Today;
        var (first, step) = granularity switch
        {
            Granularity.Day => (today.AddDays(-PastDays), 1),
            Granularity.Week => (today.AddDays(-(((int)today.DayOfWeek + 6) % 7) - (7 * PastWeeks)), 7),
            _ => (today, 1),
        };
        var begins = today.AddDays(-forecast.HistoryDays);
        for (var day = first; day.AddDays(step) <= today; day = day.AddDays(step))
        {
            if (day >= begins)
            {
                yield return new(day, null, forecast.Counts.Of(forecast.Measure, day, day.AddDays(step)), default);
            }
        }
    }

    /// <summary>Mondays of days, months of weeks, days of hours.</summary>
    private static string? Tick(Bar bar, Bar? before, Granularity granularity) => granularity switch
    {
        Granularity.Day when bar.Day.DayOfWeek == DayOfWeek.Monday => bar.Day.ToString("d MMM", CultureInfo.InvariantCulture),
        Granularity.Week when before?.Day.Month != bar.Day.Month => bar.Day.ToString("MMM", CultureInfo.InvariantCulture),
        Granularity.Hour when before?.Day != bar.Day => bar.Day.ToString("ddd d MMM", CultureInfo.InvariantCulture),
        _ => null,
    };

    /// <summary>A round number at or above, in four equal steps.</summary>
    private static double Scale(double highest)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(Math.Max(highest, 0.4))));
        return new[] { 1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10 }.Select(step => step * power).First(top => top >= highest * 0.999);
    }

    private static void Rectangle(StringBuilder svg, string look, double x, double y, double width, double height)
    {
        if (height > 0.05)
        {
            Add(svg, $"""<rect {look} x="{x:0.#}" y="{y:0.#}" width="{width:0.#}" height="{height:0.#}"/>""");
        }
    }

    private static string Noun(LoadMeasure measure) => measure switch
    {
        LoadMeasure.Demand => "wanted",
        LoadMeasure.Booked => "booked",
        _ => "attended",
    };

    /// <summary>Names are anybody's to choose: nothing of them may become markup.</summary>
    internal static string Escape(string text) =>
        System.Security.SecurityElement.Escape(string.Concat(text.Where(c => !char.IsControl(c) && !char.IsSurrogate(c) && c is not ('\uFFFE' or '\uFFFF')))) ?? "";

    private static void Add(StringBuilder svg, FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture));
}
