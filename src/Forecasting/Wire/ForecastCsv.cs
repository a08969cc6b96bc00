using System.Globalization;
using System.Text;
using Forecasting.Serving;

namespace Forecasting.Wire;

/// <summary>Figures as RFC 4180 has them, for spreadsheets.</summary>
internal static class ForecastCsv
{
    /// <summary>A spreadsheet would take text that begins so for a formula, and names are anybody's to choose.</summary>
    private static readonly char[] FormulaStarts = ['=', '+', '-', '@', '\t', '\r'];

    public static ReadOnlyMemory<byte> Write(IReadOnlyList<SubjectForecast> forecasts, LoadQuestion question)
    {
        var text = new StringBuilder("subject,name,within,measure,start,end,expected,lower,upper,confidence,open,booked,trusted,method\r\n");
        foreach (var forecast in forecasts)
        {
            var (key, zone) = (forecast.Subject.Key?.ToString() ?? "", forecast.Subject.Zone);
            foreach (var point in ForecastPoints.Of(forecast, question.Granularity, question.Horizon, question.Percent))
            {
                Row(text, key, forecast.Subject.Title, forecast.Subject.Within?.ToString() ?? "", forecast.Measure.ToString().ToLowerInvariant(),
                    PointTimes.Start(point, zone), PointTimes.End(point, zone), Number(point.Value), Number(point.Lower), Number(point.Upper),
                    Number(question.Percent / 100.0), Claim(point.IsOpen), Number(point.Booked), Claim(forecast.IsTrusted), forecast.Forecast.Method);
            }
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    public static ReadOnlyMemory<byte> Write(IReadOnlyList<SubjectCapacity> capacities)
    {
        var text = new StringBuilder("subject,name,start,end,expected,lower,upper,booked,slots,free,verdict,trusted\r\n");
        foreach (var (forecast, weeks) in capacities)
        {
            foreach (var week in weeks)
            {
                Row(text, forecast.Subject.Key?.ToString() ?? "", forecast.Subject.Title, JsonAnswer.Date(week.First), JsonAnswer.Date(week.First.AddDays(week.Days - 1)),
                    Number(week.Expected), Number(week.Lower), Number(week.Upper), Number(week.Booked), Number(week.Slots.All), Number(week.Slots.Free),
                    week.Verdict.ToString().ToLowerInvariant(), Claim(forecast.IsTrusted));
            }
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void Row(StringBuilder text, params ReadOnlySpan<string> cells)
    {
        for (var i = 0; i < cells.Length; i++)
        {
            text.Append(i == 0 ? "" : ",").Append(Cell(cells[i]));
        }
        text.Append("\r\n");
    }

    internal static string Cell(string text)
    {
        if (text.Length > 0 && Array.IndexOf(FormulaStarts, text[0]) >= 0)
        {
            text = "'" + text;
        }
        return text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    private static string Number(double value) => JsonAnswer.Decimal(value, 2).ToString("0.##", CultureInfo.InvariantCulture);

    private static string Claim(bool value) => value ? "true" : "false";
}
