namespace Subscriptions.Tests.Reminders.Support;

/// <summary>Resources as they come: a clinic in Berlin, its people, a visit.</summary>
internal static class A
{
    public const string Mobile = "+4915112345678";
    public const string Email = "anna@example.org";

    public static string Patient(string id = "anna", string telecom = $$"""{"system":"phone","value":"0151 12345678","use":"mobile"},{"system":"email","value":"{{Email}}"}""", string more = "") =>
        $$"""{"resourceType":"Patient","id":"{{id}}","active":true,"name":[{"use":"official","family":"Secret","given":["Anna"]}]{{(telecom.Length == 0 ? "" : $",\"telecom\":[{telecom}]")}}{{more}}}""";

    /// <param name="start">Of a wall clock in Berlin in summer: <c>2026-05-19T14:00</c>.</param>
    public static string Visit(string start, string id = "v1", string status = "booked", string patient = "anna", string participants = "", string more = "") => $$"""
        {"resourceType":"Appointment","id":"{{id}}","status":"{{status}}","start":"{{start}}:00+02:00","end":"{{End(start)}}:00+02:00",
         "participant":[{"actor":{"reference":"Patient/{{patient}}"},"status":"accepted"}{{participants}}]{{more}}}
        """;

    public static string With(string reference, string status = "accepted") => $$""",{"actor":{"reference":"{{reference}}"},"status":"{{status}}"}""";

    public static string Language(string code) => $$""","communication":[{"language":{"coding":[{"system":"urn:ietf:bcp:47","code":"{{code}}"}]},"preferred":true}]""";

    public static string Extensions(params string[] extensions) => $$""","extension":[{{string.Join(',', extensions)}}]""";

    public static string Zone(string zone) => $$"""{"url":"http://hl7.org/fhir/StructureDefinition/timezone","valueCode":"{{zone}}"}""";

    /// <param name="parts">Such as <c>before 3 h</c>, <c>channel sms</c>, <c>off</c>.</param>
    public static string Reminders(params string[] parts) => $$"""{"url":"urn:fhir-server:reminders","extension":[{{string.Join(',', parts.Select(Part))}}]}""";

    private static string Part(string text) => text.Split(' ') switch
    {
        ["before", var value, var unit] => $$$"""{"url":"before","valueDuration":{"value":{{{value}}},"system":"http://unitsofmeasure.org","code":"{{{unit}}}"}}""",
        ["channel", var code] => $$"""{"url":"channel","valueCode":"{{code}}"}""",
        _ => """{"url":"off","valueBoolean":true}""",
    };

    private static string End(string start) => DateTime.ParseExact(start, "yyyy-MM-dd'T'HH:mm", System.Globalization.CultureInfo.InvariantCulture).AddMinutes(30).ToString("yyyy-MM-dd'T'HH:mm", System.Globalization.CultureInfo.InvariantCulture);
}
