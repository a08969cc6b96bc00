using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FhirCore.Messages;

namespace Messages.Twilio;

/// <summary>What Twilio sends to us, https://www.twilio.com/docs/usage/webhooks/webhooks-security.</summary>
public sealed class TwilioWebhook(TwilioOptions options)
{
    public const string SignatureHeader = "X-Twilio-Signature";

    /// <summary>Parameter of the status callback's address: the message's id.</summary>
    public const string MessageParameter = "m";

    private readonly byte[] _key = Encoding.UTF8.GetBytes(options.AuthToken);

    /// <summary>Whether it is Twilio that has sent the form: HMAC-SHA1 over the address and the fields in order of their names.</summary>
    /// <param name="url">As Twilio was told it, with its query. Twilio signs some with and some without the port that the scheme implies.</param>
    public bool IsSigned(Uri url, IEnumerable<KeyValuePair<string, string>> form, string? signature)
    {
        ArgumentNullException.ThrowIfNull(url);
        if (signature is not { Length: > 0 and <= 64 })
        {
            return false;
        }
        var fields = new StringBuilder();
        foreach (var (name, value) in form.Distinct().OrderBy(field => field.Key, StringComparer.Ordinal).ThenBy(field => field.Value, StringComparer.Ordinal))
        {
            fields.Append(name).Append(value);
        }
        var given = Encoding.UTF8.GetBytes(signature);
        var plain = url.AbsoluteUri;
        var withPort = $"{url.Scheme}://{url.Host}:{url.Port.ToString(CultureInfo.InvariantCulture)}{url.PathAndQuery}";
        return IsRight(plain + fields, given) | IsRight(withPort + fields, given);
    }

    private bool IsRight(string text, byte[] given)
    {
        // SHA-1 is what Twilio signs with; an HMAC does not need the hash to be free of collisions.
#pragma warning disable CA5350
        var hash = HMACSHA1.HashData(_key, Encoding.UTF8.GetBytes(text));
#pragma warning restore CA5350
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Convert.ToBase64String(hash)), given);
    }

    /// <summary>Reads a status callback.</summary>
    /// <returns>Null while the message is on its way, or where the form is no status callback.</returns>
    public static TwilioReport? ReadStatus(Func<string, string?> field)
    {
        ArgumentNullException.ThrowIfNull(field);
        if ((field("MessageSid") ?? field("SmsSid")) is not { Length: > 0 } sid)
        {
            return null;
        }
        var error = int.TryParse(field("ErrorCode"), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : (int?)null;
        return TwilioCodes.OfStatus(field("MessageStatus") ?? field("SmsStatus"), error, sid) is { } result ? new(sid, result) : null;
    }
}

/// <param name="Sid">Twilio's id of the message.</param>
/// <param name="Result"><see cref="MessageResult.Accepted"/>: it was delivered.</param>
public sealed record TwilioReport(string Sid, MessageResult Result);
