using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Authorization.Endpoints;
using Authorization.Server;
using Authorization.Trail;
using FhirCore;
using FhirCore.Auditing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace Authorization.SelfRegistration;

/// <summary><c>/auth/clients</c>: apps register themselves (RFC 7591), and read, change and remove their registration (RFC 7592).</summary>
internal sealed class RegistrationEndpoint(AppRegistrations registrations, LoginThrottle throttle, SecurityRecord trail, IOptions<AuthOptions> options, PublicAddresses addresses)
{
    private const int LongestBody = 32 * 1024;
    private const string Throttled = "client registration"; // no client has an id with a blank
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    public void Map(IEndpointRouteBuilder routes)
    {
        if (!options.Value.Registration.Enabled)
        {
            return;
        }
        routes.MapPost($"{PublicAddresses.LocalPath}/clients", RegisterAsync);
        routes.MapGet($"{PublicAddresses.LocalPath}/clients/{{id}}", context => OwnAsync(context, ReadAsync));
        routes.MapPut($"{PublicAddresses.LocalPath}/clients/{{id}}", context => OwnAsync(context, ChangeAsync));
        routes.MapDelete($"{PublicAddresses.LocalPath}/clients/{{id}}", context => OwnAsync(context, RemoveAsync));
    }

    private async Task RegisterAsync(HttpContext context)
    {
        var ct = context.RequestAborted;
        if (await MustWaitAsync(context, Throttled))
        {
            return;
        }
        await throttle.FailedAsync(Throttled, AddressOf(context), CancellationToken.None); // each counts, whatever comes of it
        if (!(await ReadBodyAsync(context)).TryGet(out var sent, out var failure) || !(await registrations.RegisterAsync(sent, ct)).TryGet(out var made, out failure))
        {
            await trail.KeepAsync(new(SecurityEventKind.ClientChange, false, Address: SecurityRecord.AddressOf(context), Detail: failure.Issues[0].Detail), ct);
            await RefuseAsync(context, failure);
            return;
        }
        await trail.KeepAsync(
            new(SecurityEventKind.ClientChange, true, Address: SecurityRecord.AddressOf(context), Detail: made.Registration.IsApproved ? "registered-by-statement" : "registered", About: made.Registration.ClientId), ct);
        await WriteAsync(context, StatusCodes.Status201Created, made);
    }

    private async Task OwnAsync(HttpContext context, Func<HttpContext, string, string, Task<bool>> answer)
    {
        var clientId = context.Request.RouteValues["id"] as string ?? "";
        if (await MustWaitAsync(context, clientId))
        {
            return;
        }
        var header = context.Request.Headers.Authorization.ToString();
        var token = header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header["Bearer ".Length..].Trim() : "";
        if (!await answer(context, clientId, token))
        {
            // The same whether there is no such client or the token is not its own.
            await throttle.FailedAsync(clientId, AddressOf(context), CancellationToken.None);
            await trail.KeepAsync(new(SecurityEventKind.ClientChange, false, Address: SecurityRecord.AddressOf(context), Detail: "invalid_token"), context.RequestAborted);
            context.Response.Headers.WWWAuthenticate = "Bearer error=\"invalid_token\"";
            await WriteErrorAsync(context, StatusCodes.Status401Unauthorized, "invalid_token", "There is no such registration, or the access token is not its own.");
        }
    }

    private async Task<bool> ReadAsync(HttpContext context, string clientId, string token)
    {
        if (await registrations.FindAsync(clientId, token, context.RequestAborted) is not { } found)
        {
            return false;
        }
        await WriteAsync(context, StatusCodes.Status200OK, new NewRegistration(found, null, token));
        return true;
    }

    private async Task<bool> ChangeAsync(HttpContext context, string clientId, string token)
    {
        var ct = context.RequestAborted;
        if (!(await ReadBodyAsync(context)).TryGet(out var sent, out var failure))
        {
            if (await registrations.FindAsync(clientId, token, ct) is null)
            {
                return false;
            }
            await RefuseAsync(context, failure);
            return true;
        }
        if (await registrations.ChangeAsync(clientId, token, sent, ct) is not { } outcome)
        {
            return false;
        }
        if (!outcome.TryGet(out var changed, out failure))
        {
            await RefuseAsync(context, failure);
            return true;
        }
        await KeepAsync(context, clientId, "changed");
        await WriteAsync(context, StatusCodes.Status200OK, changed);
        return true;
    }

    private async Task<bool> RemoveAsync(HttpContext context, string clientId, string token)
    {
        if (!await registrations.RemoveAsync(clientId, token, context.RequestAborted))
        {
            return false;
        }
        await KeepAsync(context, clientId, "removed");
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        NoStore(context);
        return true;
    }

    private Task KeepAsync(HttpContext context, string clientId, string detail) =>
        trail.KeepAsync(new(SecurityEventKind.ClientChange, true, clientId, Address: SecurityRecord.AddressOf(context), Detail: detail), context.RequestAborted);

    private async Task<bool> MustWaitAsync(HttpContext context, string who)
    {
        if (await throttle.WaitForAsync(who, AddressOf(context), context.RequestAborted) is not { } wait)
        {
            return false;
        }
        context.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        await WriteErrorAsync(context, StatusCodes.Status429TooManyRequests, "slow_down", "Too many attempts: wait for the time that Retry-After tells.");
        return true;
    }

    private static async Task<Outcome<JsonElement>> ReadBodyAsync(HttpContext context)
    {
        if (!context.Request.HasJsonContentType())
        {
            return AppMetadata.Wrong("The body is JSON: Content-Type application/json.");
        }
        if (context.Request.ContentLength is > LongestBody)
        {
            return FhirFailure.Of(FailureKind.TooLarge, "Client metadata has at most 32 KB.", detail: AppMetadata.InvalidMetadata);
        }
        try
        {
            using var document = await JsonDocument.ParseAsync(context.Request.Body, Strict, context.RequestAborted);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return AppMetadata.Wrong("The body is not JSON, or says a member twice.");
        }
    }

    private static async Task RefuseAsync(HttpContext context, FhirFailure failure)
    {
        if (failure.RetryAfter is { } wait)
        {
            context.Response.Headers.RetryAfter = ((int)wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }
        await WriteErrorAsync(context, failure.Status, failure.Issues[0].Detail ?? AppMetadata.InvalidMetadata, failure.Issues[0].Diagnostics);
    }

    /// <summary>https://www.rfc-editor.org/rfc/rfc7591#section-3.2.1; <c>registration_status</c> is ours.</summary>
    private Task WriteAsync(HttpContext context, int status, NewRegistration made)
    {
        var registration = made.Registration;
        var answer = new JsonObject
        {
            ["client_id"] = registration.ClientId,
            ["client_id_issued_at"] = registration.At.ToUnixTimeSeconds(),
            ["registration_access_token"] = made.AccessToken,
            ["registration_client_uri"] = $"{addresses.RegistrationEndpoint}/{registration.ClientId}",
            ["registration_status"] = registration.IsApproved ? "approved" : "pending",
        };
        if (made.Secret is not null)
        {
            answer["client_secret"] = made.Secret;
            answer["client_secret_expires_at"] = 0;
        }
        foreach (var (name, value) in registration.Metadata.Said)
        {
            answer[name] = value?.DeepClone();
        }
        return WriteAsync(context, status, answer);
    }

    private static Task WriteErrorAsync(HttpContext context, int status, string error, string description) =>
        WriteAsync(context, status, new JsonObject { ["error"] = error, ["error_description"] = description });

    private static Task WriteAsync(HttpContext context, int status, JsonObject json)
    {
        NoStore(context);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(json.ToJsonString(), context.RequestAborted);
    }

    private static void NoStore(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.Pragma = "no-cache";
    }

    private static string? AddressOf(HttpContext context) => context.Connection.RemoteIpAddress?.ToString();
}
