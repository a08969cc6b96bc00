using System.Text.Json;
using System.Text.Json.Serialization;
using Authorization.Access;
using Authorization.Accounts;
using Authorization.Clients;
using Authorization.Records;
using Authorization.Server;
using Authorization.Stores;
using Authorization.Tokens;
using FhirCore;
using FhirStore.Model;
using FhirStore.Sealed;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Authorization.Launch;

/// <summary>The body of a launch, named as SMART names them.</summary>
internal sealed record LaunchBody
{
    [JsonPropertyName("client_id")]
    public string? ClientId { get; init; }

    /// <summary>Who will use the app: <c>Practitioner/123</c>. Left out where the bearer token is a user's own.</summary>
    [JsonPropertyName("user")]
    public string? User { get; init; }

    [JsonPropertyName("patient")]
    public string? Patient { get; init; }

    [JsonPropertyName("encounter")]
    public string? Encounter { get; init; }

    [JsonPropertyName("fhirContext")]
    public JsonElement? FhirContext { get; init; }

    [JsonPropertyName("need_patient_banner")]
    public bool? NeedPatientBanner { get; init; }

    [JsonPropertyName("intent")]
    public string? Intent { get; init; }
}

/// <summary>
/// <c>POST /auth/launch</c>: an EHR that may (<see cref="ClientOptions.MayLaunch"/>) opens an app for a user with something in view. It
/// answers the value of the <c>launch</c> parameter, and the whole address where the app has told where it is launched.
/// </summary>
internal sealed class LaunchEndpoint(
    TokenAuthenticator authenticator, SealedRecords<OAuthApplication> applications, ApplicationIndex index, AccountDirectory accounts, Launches launches, PublicAddresses addresses)
{
    private const int LongestIntent = 100;

    public void Map(IEndpointRouteBuilder routes) => routes.MapPost($"{PublicAddresses.LocalPath}/launch", AnswerAsync);

    private async Task AnswerAsync(HttpContext context)
    {
        var ct = context.RequestAborted;
        context.Response.Headers.CacheControl = "no-store";
        if (!(await authenticator.AuthenticateAsync(context.Request.Headers.Authorization, ct)).TryGet(out var grant, out var failure)
            || (failure = await MayLaunchAsync(grant, ct)) is not null
            || !(await ReadAsync(context.Request, ct)).TryGet(out var body, out failure)
            || !(await UserAsync(grant, body, ct)).TryGet(out var accountId, out failure)
            || !(await AppAsync(body, ct)).TryGet(out var app, out failure))
        {
            context.Response.StatusCode = failure.Status;
            context.Response.Headers.WWWAuthenticate = BearerChallenge.Of(failure);
            await WriteAsync(context, json =>
            {
                json.WriteString("error", failure.Status == StatusCodes.Status400BadRequest ? "invalid_request" : failure.Status == StatusCodes.Status401Unauthorized ? "invalid_token" : "access_denied");
                json.WriteString("error_description", failure.Issues[0].Diagnostics);
            });
            return;
        }
        var launch = new SmartLaunch
        {
            Patient = body.Patient, Encounter = body.Encounter, FhirContext = body.FhirContext?.GetRawText(), NeedPatientBanner = body.NeedPatientBanner, Intent = body.Intent,
        };
        var value = await launches.CreateAsync(app.ClientId!, accountId, launch, ct);
        context.Response.StatusCode = StatusCodes.Status201Created;
        await WriteAsync(context, json =>
        {
            json.WriteString("launch", value);
            json.WriteNumber("expires_in", (int)Launches.Lifetime.TotalSeconds);
            if (ClientSettings.Of(app, ClientSettings.LaunchUrl) is { } url)
            {
                json.WriteString("launch_url", $"{url}{(url.Contains('?', StringComparison.Ordinal) ? '&' : '?')}iss={Uri.EscapeDataString(addresses.FhirBase)}&launch={Uri.EscapeDataString(value)}");
            }
        });
    }

    private async ValueTask<FhirFailure?> MayLaunchAsync(Grant grant, CancellationToken ct) =>
        (await applications.FirstAsync(index.ClientId(grant.ClientId), ct))?.Value is { } ehr && ClientSettings.IsTrustedToLaunch(ehr)
            ? null : FhirFailure.Of(FailureKind.Forbidden, "This client may not launch apps.");

    private static async Task<Outcome<LaunchBody>> ReadAsync(HttpRequest request, CancellationToken ct)
    {
        if (!request.HasJsonContentType())
        {
            return Wrong("The body must be JSON.");
        }
        LaunchBody? body;
        try
        {
            body = await JsonSerializer.DeserializeAsync(request.Body, RecordJson.Default.LaunchBody, ct);
        }
        catch (JsonException)
        {
            return Wrong("The body must be a JSON object with client_id, and user, patient, encounter, fhirContext, need_patient_banner, intent as needed.");
        }
        if (body is null || string.IsNullOrEmpty(body.ClientId))
        {
            return Wrong("client_id is missing: it names the app.");
        }
        if ((body.Patient is { } patient && !FhirIds.IsValid(patient)) || (body.Encounter is { } encounter && !FhirIds.IsValid(encounter)))
        {
            return Wrong("patient and encounter are ids, such as 123.");
        }
        if (body.Intent is { Length: 0 or > LongestIntent })
        {
            return Wrong("intent has 1 to 100 characters.");
        }
        return body.FhirContext is { } context && FhirContextRules.Check(context) is { } problem ? Wrong(problem) : body;
    }

    private async Task<Outcome<string>> UserAsync(Grant grant, LaunchBody body, CancellationToken ct)
    {
        if (grant.User is { } user)
        {
            return body.User is null ? user.AccountId : Wrong("A user's own token launches apps for that user: leave 'user' out.");
        }
        if (!ResourceKey.TryParse(body.User, out var reference))
        {
            return Wrong("user is missing: it names who will use the app, such as Practitioner/123.");
        }
        var ids = new List<string>();
        await foreach (var account in accounts.OfFhirUserAsync(reference.ToString(), ct))
        {
            if (account.Value.Status == AccountStatus.Active)
            {
                ids.Add(account.Id);
            }
        }
        return ids is [var only] ? only : Wrong("user must be linked to exactly one account that can sign in.");
    }

    private async Task<Outcome<OAuthApplication>> AppAsync(LaunchBody body, CancellationToken ct) =>
        (await applications.FirstAsync(index.ClientId(body.ClientId!), ct))?.Value is { RedirectUris.Length: > 0 } app && ClientSettings.IsApproved(app)
            && ClientSettings.ScopesOf(app).SignIn.Contains(Scopes.SignInScopes.Launch)
            ? app : Wrong("client_id must be that of a registered app with the scope 'launch'.");

    private static FhirFailure Wrong(string problem) => FhirFailure.Of(FailureKind.Invalid, problem);

    private static async Task WriteAsync(HttpContext context, Action<Utf8JsonWriter> write)
    {
        context.Response.ContentType = "application/json";
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        await context.Response.Body.WriteAsync(bytes.GetBuffer().AsMemory(0, (int)bytes.Length), context.RequestAborted);
    }
}

/// <summary>What <c>fhirContext</c> may hold: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#fhircontext-exp.</summary>
internal static class FhirContextRules
{
    private const int Most = 20;

    /// <returns>Null when all of it is right.</returns>
    public static string? Check(JsonElement context)
    {
        if (context.ValueKind != JsonValueKind.Array || context.GetArrayLength() > Most)
        {
            return $"fhirContext is an array of at most {Most} objects.";
        }
        foreach (var item in context.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object || !(item.TryGetProperty("reference", out _) || item.TryGetProperty("canonical", out _) || item.TryGetProperty("identifier", out _)))
            {
                return "Each fhirContext has a reference, a canonical or an identifier.";
            }
            if ((item.TryGetProperty("canonical", out var canonical) && (canonical.ValueKind != JsonValueKind.String || !Uri.IsWellFormedUriString(canonical.GetString()!.Split('|')[0], UriKind.Absolute))) // its version stands behind the bar
                || (item.TryGetProperty("identifier", out var identifier) && identifier.ValueKind != JsonValueKind.Object))
            {
                return "In fhirContext canonical is an absolute URI, and identifier an Identifier.";
            }
            var role = item.TryGetProperty("role", out var given) ? given : default;
            if (role.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.String) || (role.ValueKind == JsonValueKind.String && !IsRole(role.GetString()!)))
            {
                return "A role in fhirContext is 'launch' or an absolute URI, and never empty.";
            }
            if (item.TryGetProperty("reference", out var reference))
            {
                if (reference.ValueKind != JsonValueKind.String || !ResourceKey.TryParse(reference.GetString(), out var key) || !R4Model.IsResourceType(key.Type))
                {
                    return "A reference in fhirContext is relative, such as ImagingStudy/123.";
                }
                if (key.Type is "Patient" or "Encounter" && (role.ValueKind == JsonValueKind.Undefined || role.ValueEquals("launch")))
                {
                    return "A Patient or Encounter stands in fhirContext only in a role other than 'launch': those in view are patient and encounter.";
                }
            }
        }
        return null;
    }

    private static bool IsRole(string role) => role == "launch" || Uri.IsWellFormedUriString(role, UriKind.Absolute);
}
