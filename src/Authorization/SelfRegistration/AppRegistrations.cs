using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Authorization.Clients;
using Authorization.Scopes;
using Authorization.Server;
using Authorization.Stores;
using FhirCore;
using FhirCore.Outbound;
using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Sealed;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OpenIddict.Abstractions;
using OpenIddict.Core;

namespace Authorization.SelfRegistration;

/// <summary>An app that has registered itself.</summary>
/// <param name="Version">Of its record: an approval is of what was looked at.</param>
public sealed record AppRegistration(string Id, long Version, string ClientId, AppMetadata Metadata, DateTimeOffset At, bool IsApproved);

/// <param name="Secret">Nowhere else from now on; null where there is none, or it stays what it was.</param>
public sealed record NewRegistration(AppRegistration Registration, string? Secret, string AccessToken)
{
    // The generated text of a record would hold the secrets.
    public override string ToString() => Registration.ClientId;
}

/// <summary>
/// Apps that register themselves. While one waits its client record has neither redirect addresses nor permissions nor scopes: there is
/// nothing that could be used by mistake.
/// </summary>
public sealed class AppRegistrations(
    SealedRecords<OAuthApplication> records, ApplicationIndex index, ClientRegistry clients, SoftwareStatements statements, IServiceScopeFactory scopes, IndexTokens tokens, OutboundGuard guard,
    IOptions<AuthOptions> options, TimeProvider clock)
{
    private const int IdBytes = 12;
    private const int Attempts = 5;

    private readonly IndexTokenKey _accessTokens = tokens.KeyFor("~app-registration-tokens");
    private readonly RegisteredScopes _most = SmartScopes.TryParseRegistration(options.Value.Registration.Scope, out var most, out _) ? most : new([], []);

    private SelfRegistrationOptions Options => options.Value.Registration;

    /// <returns>A failure whose detail is the error code of RFC 7591.</returns>
    public async Task<Outcome<NewRegistration>> RegisterAsync(JsonElement sent, CancellationToken ct)
    {
        if (!(await ReadAsync(sent, ct)).TryGet(out var read, out var failure))
        {
            return failure;
        }
        if (!read.IsApproved && await CountWaitingAsync(ct) >= Options.MostPending)
        {
            return FhirFailure.Of(FailureKind.TooManyRequests, "Too many apps wait for approval. Try again later, or ask the operator.", detail: "temporarily_unavailable") with { RetryAfter = TimeSpan.FromHours(1) };
        }
        var clientId = $"app-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdBytes))}";
        var accessToken = SecretId.NewSecret();
        var secret = read.Metadata.HasSecret ? SecretId.NewSecret() : null;
        await using var scope = scopes.CreateAsyncScope();
        var descriptor = Describe(clientId, read, TokenOf(clientId, accessToken), clock.GetUtcNow());
        descriptor.ClientSecret = SecretOf(read.Metadata, secret);
        var application = await Applications(scope).CreateAsync(descriptor, ct);
        return new NewRegistration(Of(application.Id, application.Version, application), secret, accessToken);
    }

    /// <returns>Null where there is no such app, or the token is not its own.</returns>
    public async Task<AppRegistration?> FindAsync(string clientId, string? accessToken, CancellationToken ct) => await OpenAsync(clientId, accessToken, ct) is { } found ? Of(found.Id, found.Version, found.Value) : null;

    /// <summary>Says all of it anew. An app that was approved waits again, and all that users have granted it ends: what they trusted was another.</summary>
    public async Task<Outcome<NewRegistration>?> ChangeAsync(string clientId, string accessToken, JsonElement sent, CancellationToken ct)
    {
        if (await OpenAsync(clientId, accessToken, ct) is null)
        {
            return null;
        }
        if (CheckChange(sent, clientId) is { } misplaced)
        {
            return misplaced;
        }
        if (!(await ReadAsync(sent, ct)).TryGet(out var read, out var failure))
        {
            return failure;
        }
        for (var attempt = 1; ; attempt++)
        {
            await using var scope = scopes.CreateAsyncScope();
            var applications = Applications(scope);
            if (await applications.FindByClientIdAsync(clientId, ct) is not { } found)
            {
                return null;
            }
            var hadSecret = ClientSettings.AuthenticationOf(found) == ClientAuthentication.Secret;
            var secret = read.Metadata.HasSecret && !hadSecret ? SecretId.NewSecret() : null;
            var descriptor = Describe(clientId, read, ClientSettings.Of(found, ClientSettings.RegistrationToken)!, AtOf(found));
            try
            {
                if (read.Metadata.HasSecret && hadSecret)
                {
                    descriptor.ClientSecret = found.ClientSecret; // its hash
                    await applications.PopulateAsync(found, descriptor, ct);
                    await applications.UpdateAsync(found, ct);
                }
                else
                {
                    await applications.PopulateAsync(found, descriptor, ct);
                    await applications.UpdateAsync(found, SecretOf(read.Metadata, secret), ct);
                }
                await RevokeAsync(scope, found.Id, ct);
                return new NewRegistration(Of(found.Id, found.Version, found), secret, accessToken);
            }
            catch (OpenIddictExceptions.ConcurrencyException) when (attempt < Attempts)
            {
                // an administrator has decided meanwhile: what comes now is decided again
            }
        }
    }

    /// <returns>False where there is no such app, or the token is not its own.</returns>
    public async Task<bool> RemoveAsync(string clientId, string accessToken, CancellationToken ct) =>
        await OpenAsync(clientId, accessToken, ct) is { } found && await RemoveAsync(found.Id, version: null, ct);

    /// <summary>Those that have registered themselves, the latest first.</summary>
    public async Task<IReadOnlyList<AppRegistration>> ListAsync(CancellationToken ct)
    {
        var all = new List<AppRegistration>();
        await foreach (var found in records.QueryAsync(Predicate.Everything, ct))
        {
            if (ClientSettings.HasRegisteredItself(found.Value))
            {
                all.Add(Of(found.Id, found.Version, found.Value));
            }
        }
        all.Sort(static (a, b) => b.At.CompareTo(a.At));
        return all;
    }

    /// <param name="version">What the administrator has looked at.</param>
    /// <returns>The client's id; null where it has changed meanwhile, or is gone.</returns>
    public async Task<string?> ApproveAsync(string id, long version, CancellationToken ct)
    {
        if (await records.FindAsync(id, ct) is not { } found || found.Version != version || !ClientSettings.HasRegisteredItself(found.Value) || ClientSettings.IsApproved(found.Value))
        {
            return null;
        }
        await using var scope = scopes.CreateAsyncScope();
        var applications = Applications(scope);
        var clientId = found.Value.ClientId!;
        var metadata = AppMetadata.Kept(ClientSettings.Of(found.Value, ClientSettings.Registration)!);
        var descriptor = Describe(clientId, (metadata, true), ClientSettings.Of(found.Value, ClientSettings.RegistrationToken)!, AtOf(found.Value));
        descriptor.ClientSecret = found.Value.ClientSecret;
        (found.Value.Id, found.Value.Version) = (found.Id, found.Version);
        try
        {
            await applications.PopulateAsync(found.Value, descriptor, ct);
            await applications.UpdateAsync(found.Value, ct);
            return clientId;
        }
        catch (OpenIddictExceptions.ConcurrencyException)
        {
            return null;
        }
    }

    /// <summary>An administrator refuses it, or takes back what was approved.</summary>
    /// <returns>The client's id; null where there is no such app.</returns>
    public async Task<string?> RefuseAsync(string id, CancellationToken ct) =>
        await records.FindAsync(id, ct) is { } found && ClientSettings.HasRegisteredItself(found.Value) && await RemoveAsync(id, version: null, ct) ? found.Value.ClientId : null;

    /// <summary>Forgets those that nobody has approved in time.</summary>
    /// <returns>How many.</returns>
    public async Task<int> SweepAsync(CancellationToken ct)
    {
        var removed = 0;
        var before = clock.GetUtcNow() - Options.PendingLifetime;
        foreach (var waiting in await ListAsync(ct))
        {
            removed += !waiting.IsApproved && waiting.At < before && await RemoveAsync(waiting.Id, waiting.Version, ct) ? 1 : 0;
        }
        return removed;
    }

    private static FhirFailure? CheckChange(JsonElement sent, string clientId)
    {
        // RFC 7592 section 2.2.
        if (sent.ValueKind != JsonValueKind.Object || !sent.TryGetProperty("client_id", out var id) || id.ValueKind != JsonValueKind.String || id.GetString() != clientId)
        {
            return AppMetadata.Wrong("client_id must be the client's own.");
        }
        return new[] { "registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at", "client_secret" }.FirstOrDefault(name => sent.TryGetProperty(name, out _)) is { } own
            ? AppMetadata.Wrong($"{own} is said by the server: leave it out.")
            : null;
    }

    private async Task<Outcome<(AppMetadata Metadata, bool IsApproved)>> ReadAsync(JsonElement sent, CancellationToken ct)
    {
        if (!(await statements.ApplyAsync(sent, ct)).TryGet(out var stated, out var failure) || !AppMetadata.Read(stated.Metadata, _most, guard).TryGet(out var metadata, out failure))
        {
            return failure;
        }
        return (metadata, stated.IsApproved);
    }

    private OpenIddictApplicationDescriptor Describe(string clientId, (AppMetadata Metadata, bool IsApproved) read, string accessToken, DateTimeOffset at)
    {
        var descriptor = clients.DescribeSelf(clientId, read.Metadata.Options, read.IsApproved);
        descriptor.Settings[ClientSettings.Registration] = read.Metadata.Said.ToJsonString();
        descriptor.Settings[ClientSettings.RegistrationToken] = accessToken;
        descriptor.Settings[ClientSettings.RegisteredAt] = at.ToString("O", CultureInfo.InvariantCulture);
        return descriptor;
    }

    private async Task<Sealed<OAuthApplication>?> OpenAsync(string clientId, string? accessToken, CancellationToken ct)
    {
        if (clientId.Length > ClientDefinition.LongestId || accessToken is not { Length: > 0 and <= 100 } || await records.FirstAsync(index.ClientId(clientId), ct) is not { } found)
        {
            return null;
        }
        return ClientSettings.Of(found.Value, ClientSettings.RegistrationToken) is { } expected
            && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.ASCII.GetBytes(TokenOf(clientId, accessToken))) ? found : null;
    }

    private async Task<bool> RemoveAsync(string id, long? version, CancellationToken ct)
    {
        while (await records.FindAsync(id, ct) is { } found && (version is null || found.Version == version))
        {
            if (await records.TryRemoveAsync(id, found.Version, ct))
            {
                await using var scope = scopes.CreateAsyncScope();
                await RevokeAsync(scope, id, ct);
                return true;
            }
        }
        return false;
    }

    private static async Task RevokeAsync(AsyncServiceScope scope, string applicationId, CancellationToken ct)
    {
        await scope.ServiceProvider.GetRequiredService<OpenIddictAuthorizationManager<OAuthAuthorization>>().RevokeByApplicationIdAsync(applicationId, ct);
        await scope.ServiceProvider.GetRequiredService<OpenIddictTokenManager<OAuthToken>>().RevokeByApplicationIdAsync(applicationId, ct);
    }

    private async Task<int> CountWaitingAsync(CancellationToken ct) => (await ListAsync(ct)).Count(static registration => !registration.IsApproved);

    private string TokenOf(string clientId, string accessToken) => SecretId.Of(_accessTokens, $"{clientId} {accessToken}");

    /// <summary>OpenIddict wants a confidential client to have a secret: one with keys gets one that nobody knows.</summary>
    private static string? SecretOf(AppMetadata metadata, string? secret) =>
        secret ?? (metadata.Text("token_endpoint_auth_method") == "private_key_jwt" ? RandomNumberGenerator.GetHexString(64) : null);

    private static DateTimeOffset AtOf(OAuthApplication application) =>
        DateTimeOffset.TryParse(ClientSettings.Of(application, ClientSettings.RegisteredAt), CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var at) ? at : DateTimeOffset.MinValue;

    private static AppRegistration Of(string id, long version, OAuthApplication application) => new(
        id, version, application.ClientId!, AppMetadata.Kept(ClientSettings.Of(application, ClientSettings.Registration)!), AtOf(application), ClientSettings.IsApproved(application));

    private static OpenIddictApplicationManager<OAuthApplication> Applications(AsyncServiceScope scope) =>
        scope.ServiceProvider.GetRequiredService<OpenIddictApplicationManager<OAuthApplication>>();
}
