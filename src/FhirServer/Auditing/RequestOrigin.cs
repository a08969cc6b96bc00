using System.Net;
using FhirServer.Http;

namespace FhirServer.Auditing;

/// <summary>Where a request comes from, as its audit event tells it. Entries of a Bundle have that of the request that brought them.</summary>
/// <param name="RequestId">The client's <c>X-Request-Id</c>, or the server's own id of the request.</param>
/// <param name="Started">Timestamp of the monotonic clock.</param>
/// <param name="Outside">Address, with a slash at its end, of what is no resource of the FHIR server; empty for those that are.</param>
public sealed record RequestOrigin(IPAddress? Address, string RequestId, long Started, string Outside)
{
    private const string Header = "X-Request-Id";
    private const int LongestId = 128;

    /// <summary>The client's own id comes back with the answer.</summary>
    internal static RequestOrigin Of(HttpContext context, FhirBase @base, long started)
    {
        var address = context.Connection.RemoteIpAddress;
        var outside = @base.IsAppState ? @base.Url + "/" : "";
        if (context.Request.Headers.TryGetValue(Header, out var values) && values is [{ Length: > 0 and <= LongestId } given] && !given.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            context.Response.Headers[Header] = given;
            return new(address, given, started, outside);
        }
        return new(address, context.TraceIdentifier, started, outside);
    }
}
