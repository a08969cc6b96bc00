using System.Globalization;

namespace Authorization.Access.Privacy;

/// <summary>A FHIR dateTime as the span of time it stands for: <c>2026-03</c> is all of March. Without an offset it is UTC.</summary>
internal static class PartialDate
{
    /// <param name="until">Excluded.</param>
    public static bool TryRead(string text, out DateTimeOffset from, out DateTimeOffset until)
    {
        const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        from = until = default;
        switch (text.Length)
        {
            case 4 when DateTimeOffset.TryParseExact(text, "yyyy", CultureInfo.InvariantCulture, Utc, out from):
                until = from.Year < 9999 ? from.AddYears(1) : DateTimeOffset.MaxValue;
                return true;
            case 7 when DateTimeOffset.TryParseExact(text, "yyyy-MM", CultureInfo.InvariantCulture, Utc, out from):
                until = from.Year < 9999 ? from.AddMonths(1) : DateTimeOffset.MaxValue;
                return true;
            case 10 when DateTimeOffset.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, Utc, out from):
                until = from.Year < 9999 ? from.AddDays(1) : DateTimeOffset.MaxValue;
                return true;
            case > 10 when DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, Utc, out from):
                until = from.AddSeconds(1);
                return true;
            default:
                return false;
        }
    }
}
