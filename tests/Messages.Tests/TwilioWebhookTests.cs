using FhirCore.Messages;
using Messages.Twilio;
using StandIns;

namespace Messages.Tests;

public sealed class TwilioWebhookTests
{
    private static readonly Uri Url = new("https://clinic.example/messages/twilio/status?m=m1");

    private static readonly KeyValuePair<string, string>[] Form =
        [new("To", "+4915112345678"), new("MessageSid", "SM1"), new("Body", "Да, a+b & ü"), new("AccountSid", "AC1"), new("a", "lower case comes last")];

    private static TwilioWebhook Webhook(string token = TwilioStandIn.AuthToken) => new(new(new("https://api.twilio.com/"), "AC1", token, "+1"));

    [Fact]
    public void Signature_OfTheDocumentation_IsRight()
    {
        // The example of https://www.twilio.com/docs/usage/webhooks/webhooks-security.
        var signed = Webhook("12345").IsSigned(
            new("https://mycompany.com/myapp.php?foo=1&bar=2"),
            [new("Digits", "1234"), new("To", "+18005551212"), new("From", "+14158675309"), new("Caller", "+14158675309"), new("CallSid", "CA1234567890ABCDE")],
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
        Assert.True(signed);
    }

    [Fact]
    public void Signature_WithAndWithoutPort_IsRight()
    {
        Assert.True(Webhook().IsSigned(Url, Form, TwilioStandIn.Sign(TwilioStandIn.AuthToken, Url, Form)));
        var withPort = "https://clinic.example:443/messages/twilio/status?m=m1" + string.Concat(Form.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => f.Key + f.Value));
        Assert.True(Webhook().IsSigned(Url, Form, Convert.ToBase64String(System.Security.Cryptography.HMACSHA1.HashData("stand-in-token"u8, System.Text.Encoding.UTF8.GetBytes(withPort)))));
    }

    [Fact]
    public void AnythingElse_IsNotSigned()
    {
        var right = TwilioStandIn.Sign(TwilioStandIn.AuthToken, Url, Form);
        Assert.False(Webhook("another token").IsSigned(Url, Form, right));
        Assert.False(Webhook().IsSigned(new("https://clinic.example/messages/twilio/status?m=m2"), Form, right));
        Assert.False(Webhook().IsSigned(Url, Form[1..], right));
        Assert.False(Webhook().IsSigned(Url, [.. Form, new("Extra", "")], right));
        Assert.False(Webhook().IsSigned(Url, [.. Form[1..], new("To", "+4915112345679")], right));
        Assert.False(Webhook().IsSigned(Url, Form, null));
        Assert.False(Webhook().IsSigned(Url, Form, ""));
        Assert.False(Webhook().IsSigned(Url, Form, right.ToLowerInvariant()));
        Assert.False(Webhook().IsSigned(Url, Form, new string('A', 5000)));
    }

    [Theory]
    [InlineData("delivered", null, "Accepted", null)]
    [InlineData("read", null, "Accepted", null)]
    [InlineData("undelivered", "30003", "Refused", MessageRefusal.Unreachable)]
    [InlineData("undelivered", "30005", "Refused", MessageRefusal.BadAddress)]
    [InlineData("undelivered", "30006", "Refused", MessageRefusal.BadAddress)]
    [InlineData("undelivered", "30007", "Refused", MessageRefusal.Content)]
    [InlineData("failed", "30001", "Later", null)]
    [InlineData("failed", "30610", "Later", null)]
    [InlineData("failed", null, "Refused", MessageRefusal.Unreachable)]
    [InlineData("undelivered", "99999", "Refused", MessageRefusal.Unreachable)]
    [InlineData("queued", null, null, null)]
    [InlineData("sent", null, null, null)]
    [InlineData("nonsense", "x", null, null)]
    public void Status_IsReadByItsCode(string status, string? error, string? kind, MessageRefusal? why)
    {
        var fields = new Dictionary<string, string?> { ["MessageSid"] = "SM1", ["MessageStatus"] = status, ["ErrorCode"] = error };
        var report = TwilioWebhook.ReadStatus(name => fields.GetValueOrDefault(name));
        Assert.Equal(kind, report?.Result.GetType().Name);
        Assert.Equal(why, (report?.Result as MessageResult.Refused)?.Why);
        Assert.Null(TwilioWebhook.ReadStatus(_ => null));
    }

    [Theory]
    [InlineData("+15550100", true)]
    [InlineData("MG00000000000000000000000000000001", true)]
    [InlineData("12345", true)]
    [InlineData("Lindenhof", false)]
    public void Replies_AreForNumbersOnly(string from, bool takes) => Assert.Equal(takes, new TwilioOptions(new("https://x"), "AC", "t", from).TakesReplies);
}
