using System.Collections.Immutable;
using System.Globalization;
using Authorization.Server;
using Microsoft.AspNetCore.Http;
using OpenIddict.Abstractions;

namespace Authorization.Launch;

/// <summary>What SMART asks of an authorize request beyond OAuth, after OpenIddict has found client, redirect address and challenge right.</summary>
internal sealed class AuthorizeRequest(OpenIddictRequest request)
{
    private const int LongestParameter = 4_000;
    private const string Prompt = "prompt";
    private const string MaxAge = "max_age";

    /// <summary>A sign-in that is asked for anew counts as new for so long.</summary>
    private const int FreshSeconds = 60;

    /// <summary>What we know; whatever else was sent is not carried on.</summary>
    private static readonly ImmutableArray<string> Known =
    [
        "response_type", "client_id", "redirect_uri", "scope", "state", "aud", "resource", "launch", "code_challenge", "code_challenge_method", "nonce",
        "response_mode", "login_hint", "ui_locales", Prompt, MaxAge,
    ];

    public string ClientId => request.ClientId!;

    public string? Scope => request.Scope;

    public string? Launch => Text("launch");

    public bool MayNotAsk => request.HasPromptValue(OpenIddictConstants.PromptValues.None);

    public bool AsksForConsent => request.HasPromptValue(OpenIddictConstants.PromptValues.Consent);

    private bool AsksForSignIn => request.HasPromptValue(OpenIddictConstants.PromptValues.Login) || request.HasPromptValue(OpenIddictConstants.PromptValues.SelectAccount);

    /// <returns>Null when all is there; otherwise what is wrong, for the app's developer.</returns>
    public string? Check(PublicAddresses addresses)
    {
        if (string.IsNullOrEmpty(request.State))
        {
            return "The parameter 'state' is missing.";
        }
        if ((Text("aud") ?? Text("resource")) is not { } audience)
        {
            return "The parameter 'aud' is missing: it names the FHIR server the app wants to talk to.";
        }
        if (!addresses.IsFhirBase(audience) || !addresses.IsFhirBase(Text("resource") ?? audience))
        {
            return $"The parameter 'aud' must be the address of this FHIR server, {addresses.FhirBase}.";
        }
        if (Known.Any(name => Text(name) is { Length: > LongestParameter }))
        {
            return "A parameter is too long.";
        }
        if (Text(MaxAge) is { } age && !int.TryParse(age, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            return "The parameter 'max_age' must be a number of seconds.";
        }
        return string.IsNullOrWhiteSpace(request.Scope) ? "The parameter 'scope' is missing." : null;
    }

    public bool NeedsSignIn(DateTimeOffset signedInAt, DateTimeOffset now) =>
        AsksForSignIn || (Text(MaxAge) is { } age && now - signedInAt > TimeSpan.FromSeconds(int.Parse(age, CultureInfo.InvariantCulture)));

    /// <summary>The request as a query, to come back with: nothing that has been done by then is asked for again.</summary>
    public string QueryAfterSignIn()
    {
        var parameters = Parameters().ToDictionary(StringComparer.Ordinal);
        if (AsksForSignIn)
        {
            parameters.Remove(Prompt);
            if (AsksForConsent)
            {
                parameters[Prompt] = OpenIddictConstants.PromptValues.Consent;
            }
            parameters[MaxAge] = Math.Min(FreshSeconds, Text(MaxAge) is { } age ? int.Parse(age, CultureInfo.InvariantCulture) : FreshSeconds).ToString(CultureInfo.InvariantCulture);
        }
        return Query(parameters);
    }

    public string Query() => Query(Parameters());

    /// <summary>For the hidden fields of our own forms: by then the user has signed in, and is answering.</summary>
    public IEnumerable<KeyValuePair<string, string>> Carried() => Parameters().Where(static pair => pair.Key is not (Prompt or MaxAge));

    private static string Query(IEnumerable<KeyValuePair<string, string>> parameters) => QueryString.Create(parameters!).Value ?? "";

    private IEnumerable<KeyValuePair<string, string>> Parameters()
    {
        foreach (var name in Known)
        {
            if (Text(name) is { } value)
            {
                yield return new(name, value);
            }
        }
    }

    private string? Text(string name) => (string?)request[name] is { Length: > 0 } text ? text : null;
}
