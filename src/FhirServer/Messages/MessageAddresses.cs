using FhirServer.Settings;

namespace FhirServer.Messages;

/// <summary>Where links in messages lead and providers report to: next to the FHIR base, as <c>/auth</c> is.</summary>
/// <param name="Root">Ends in a slash.</param>
internal sealed record MessageAddresses(Uri Root)
{
    /// <summary>Short: it stands in every SMS.</summary>
    public const string Links = "/m";

    public const string TwilioStatus = "/messages/twilio/status";
    public const string TwilioInbound = "/messages/twilio/inbound";

    public string LinkBase => new Uri(Root, Links[1..] + "/").AbsoluteUri;

    /// <summary>As whoever stands before this server is asked for it.</summary>
    /// <param name="local">Path of this server, with its slash.</param>
    public Uri PublicOf(string local, string query = "") => new(new Uri(Root, local[1..]).AbsoluteUri + query);

    public static MessageAddresses Of(ServerSettings settings)
    {
        var fhir = settings.BaseUrl.AbsoluteUri.TrimEnd('/');
        return new(new Uri(fhir[..(fhir.LastIndexOf('/') + 1)]));
    }
}
