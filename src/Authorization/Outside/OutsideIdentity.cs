using Authorization.Accounts;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Authorization.Outside;

/// <summary>Who somebody is by the word of an outside provider, all of it checked.</summary>
/// <param name="VerifiedEmail">Null unless the provider calls it verified.</param>
/// <param name="Email">As the provider has it, verified or not: for people to look at.</param>
/// <param name="PractitionerNumber">Of the claim that the settings name.</param>
/// <param name="HasSecondFactor">The provider has asked for one, and the settings believe it.</param>
/// <param name="At">When they signed in there.</param>
/// <param name="SessionId">The provider's <c>sid</c>.</param>
public sealed record OutsideIdentity(
    string Issuer, string Subject, string? Name, string? UserName, string? VerifiedEmail, string? Email, string? PractitionerNumber, bool HasSecondFactor, DateTimeOffset At, string? SessionId)
{
    private const int LongestText = 200;

    /// <summary>As an account keeps it.</summary>
    public string Key => KeyOf(Issuer, Subject);

    public static string KeyOf(string issuer, string subject) => $"{issuer} {subject}";

    internal static OutsideIdentity Of(JsonWebToken token, ExternalProvider provider, DateTimeOffset now)
    {
        var email = Text(token, "email");
        var verified = token.TryGetPayloadValue<object>("email_verified", out var says) && says is true or "true"; // some write it as a text
        var amr = token.TryGetPayloadValue<string[]>("amr", out var methods) ? methods : [];
        return new(
            provider.Issuer, token.Subject, Text(token, "name"), Text(token, "preferred_username"),
            verified && Contact.Parse(email) is { Kind: ContactKind.Email } contact ? contact.Value : null, email,
            provider.PractitionerClaim is { } claim ? Text(token, claim) : null,
            provider.HasSecondFactor(amr, Text(token, "acr")),
            IdTokens.Instant(token, "auth_time") is { } at && at < now ? at : now, Text(token, "sid"));
    }

    /// <returns>Null where it is missing, empty, too long or no text.</returns>
    private static string? Text(JsonWebToken token, string claim) =>
        token.TryGetPayloadValue<string>(claim, out var value) && value is { Length: > 0 and <= LongestText } && !value.Any(char.IsControl) ? value : null;

    // The generated text of a record would name the person.
    public override string ToString() => nameof(OutsideIdentity);
}
