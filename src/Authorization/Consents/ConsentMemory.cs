using System.Text.Json;
using Authorization.Records;
using Authorization.Scopes;
using Authorization.Stores;
using FhirCore;
using FhirStore.Sealed;
using OpenIddict.Abstractions;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Authorization.Consents;

/// <summary>
/// What a user has granted an app, so that they are asked again only when it wants more: a permanent authorization of OpenIddict's that
/// says besides what was asked for then. Each sign-in has an authorization of its own, so that ending one does not end the others.
/// </summary>
public sealed class ConsentMemory(SealedRecords<OAuthAuthorization> authorizations, AuthorizationIndex index, SealedRecords<OAuthToken> tokens, TokenIndex tokenIndex, TimeProvider clock)
{
    private const string AskedKey = "asked";

    /// <returns>Null where the user has to be asked.</returns>
    public async ValueTask<ConsentOffer?> RecallAsync(string accountId, string applicationId, ConsentOffer offer, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(offer);
        await foreach (var found in authorizations.QueryAsync(index.Where(accountId, applicationId, Statuses.Valid, AuthorizationTypes.Permanent), ct))
        {
            var asked = found.Value.Properties?.GetValueOrDefault(AskedKey) is { ValueKind: JsonValueKind.String } text ? text.GetString()!.Split(' ') : [];
            if (offer.Texts.All(scope => asked.Contains(scope, StringComparer.Ordinal)))
            {
                var granted = string.Join(' ', found.Value.Scopes ?? []);
                var resources = SmartScopes.Negotiate(string.Join(' ', offer.Resources), SmartScopes.Parse(granted), ScopeLevel.Patient, ScopeLevel.User);
                return new(resources, [.. offer.SignIn.Where(scope => found.Value.Scopes?.Contains(scope, StringComparer.Ordinal) is true)]);
            }
        }
        return null;
    }

    /// <summary>In place of what was remembered before.</summary>
    public async Task RememberAsync(string accountId, string applicationId, ConsentOffer offer, ConsentOffer granted, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(offer);
        ArgumentNullException.ThrowIfNull(granted);
        var id = FhirIds.New(clock);
        await authorizations.TryWriteAsync(
            id,
            new()
            {
                ApplicationId = applicationId,
                CreationDate = clock.GetUtcNow(),
                Scopes = [.. granted.Texts],
                Status = Statuses.Valid,
                Subject = accountId,
                Type = AuthorizationTypes.Permanent,
                Properties = new() { [AskedKey] = JsonSerializer.SerializeToElement(string.Join(' ', offer.Texts), RecordJson.Default.String) },
            },
            0, null, ct);
        await foreach (var old in authorizations.QueryAsync(index.Where(accountId, applicationId, null, AuthorizationTypes.Permanent), ct))
        {
            if (old.Id != id)
            {
                await authorizations.TryRemoveAsync(old.Id, old.Version, ct);
            }
        }
    }

    /// <summary>The apps a user lets in: those that need not ask again, and those that hold a grant still.</summary>
    public async Task<IReadOnlyList<GrantedApp>> ListAsync(string accountId, CancellationToken ct)
    {
        var apps = new Dictionary<string, GrantedApp>(StringComparer.Ordinal);
        await foreach (var found in authorizations.QueryAsync(index.Where(accountId, null, Statuses.Valid, null), ct))
        {
            if (found.Value is not { ApplicationId: { } application, CreationDate: { } since }
                || (found.Value.Type == AuthorizationTypes.AdHoc && !await tokens.AnyAsync(tokenIndex.OfAuthorization(found.Id), ct)))
            {
                continue;
            }
            var known = apps.GetValueOrDefault(application);
            var scopes = (known?.Scopes ?? []).Union(found.Value.Scopes ?? [], StringComparer.Ordinal).ToArray();
            apps[application] = new(application, scopes, known is null || since < known.Since ? since : known.Since);
        }
        return [.. apps.Values.OrderByDescending(static app => app.Since)];
    }

    /// <summary>Takes all of it back: the memory, and every token the app holds in this user's name.</summary>
    public async Task RevokeAsync(string accountId, string applicationId, CancellationToken ct)
    {
        // First the grants: a refresh that is under way finds its grant revoked, and no token outlives it.
        await ChangeAllAsync(authorizations, index.Where(accountId, applicationId, null, null), static authorization => authorization.Status = Statuses.Revoked, ct);
        await ChangeAllAsync(tokens, tokenIndex.Where(accountId, applicationId, null, null), static token => token.Status = Statuses.Revoked, ct);
    }

    private static async Task ChangeAllAsync<T>(SealedRecords<T> records, FhirCore.Records.Predicate where, Action<T> change, CancellationToken ct)
        where T : class
    {
        await foreach (var found in records.QueryAsync(where, ct))
        {
            for (var now = found; now is not null; now = await records.FindAsync(found.Id, ct))
            {
                change(now.Value);
                if (await records.TryWriteAsync(now.Id, now.Value, now.Version, null, ct))
                {
                    break;
                }
            }
        }
    }
}

/// <param name="ApplicationId">Id of the client's record, not its client id.</param>
/// <param name="Since">When the first of its grants was given.</param>
public sealed record GrantedApp(string ApplicationId, IReadOnlyList<string> Scopes, DateTimeOffset Since);
