using NodaTime;

namespace Forecasting.Series;

/// <param name="BaseUrl">FHIR base without a slash at its end: references below it are to this server.</param>
/// <param name="TimeZone">Of visits whose place and schedule name none.</param>
public sealed record LoadOptions(string BaseUrl, DateTimeZone TimeZone);
