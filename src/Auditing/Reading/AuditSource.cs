namespace Auditing.Reading;

/// <summary>Who reports an event: <c>AuditEvent.source</c>.</summary>
/// <param name="BaseUrl">The server's public FHIR base.</param>
public sealed record AuditSource(Uri BaseUrl)
{
    public string Site => BaseUrl.Host;

    public string Url => BaseUrl.AbsoluteUri.TrimEnd('/');
}
