using FhirCore.Records;
using FhirStore.Sealed;
using OpenIddict.Abstractions;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Authorization.Stores;

/// <summary>One row for each token given out, so that it can be revoked and listed. Self-contained tokens have no payload here.</summary>
public sealed class TokenStore(SealedRecords<OAuthToken> records, TokenIndex index, TimeProvider clock)
    : SealedStore<OAuthToken>(records, clock), IOpenIddictTokenStore<OAuthToken>
{
    public IAsyncEnumerable<OAuthToken> FindAsync(
        string? subject, string? client, string? status, string? type, CancellationToken cancellationToken) =>
        WhereAsync(index.Where(subject, client, status, type), cancellationToken);

    public IAsyncEnumerable<OAuthToken> FindByApplicationIdAsync(string identifier, CancellationToken cancellationToken) =>
        WhereAsync(index.Where(null, identifier, null, null), cancellationToken);

    public IAsyncEnumerable<OAuthToken> FindByAuthorizationIdAsync(string identifier, CancellationToken cancellationToken) =>
        WhereAsync(index.OfAuthorization(identifier), cancellationToken);

    public ValueTask<OAuthToken?> FindByReferenceIdAsync(string identifier, CancellationToken cancellationToken) =>
        FirstAsync(index.Reference(identifier), cancellationToken);

    public IAsyncEnumerable<OAuthToken> FindBySubjectAsync(string subject, CancellationToken cancellationToken) =>
        WhereAsync(index.Where(subject, null, null, null), cancellationToken);

    public ValueTask<string?> GetApplicationIdAsync(OAuthToken token, CancellationToken cancellationToken) => new(token.ApplicationId);

    public ValueTask<string?> GetAuthorizationIdAsync(OAuthToken token, CancellationToken cancellationToken) => new(token.AuthorizationId);

    public ValueTask<DateTimeOffset?> GetCreationDateAsync(OAuthToken token, CancellationToken cancellationToken) => new(token.CreationDate);

    public ValueTask<DateTimeOffset?> GetExpirationDateAsync(OAuthToken token, CancellationToken cancellationToken) => new(token.ExpirationDate);

    public ValueTask<string?> GetPayloadAsync(OAuthToken token, CancellationToken cancellationToken) => new(token.Payload);

    public ValueTask<DateTimeOffset?> GetRedemptionDateAsync(OAuthToken token, CancellationToken cancellationToken) => new(token.RedemptionDate);

    public ValueTask<string?> GetReferenceIdAsync(OAuthToken token, CancellationToken cancellationToken) => new(token.ReferenceId);

    public ValueTask<string?> GetStatusAsync(OAuthToken token, CancellationToken cancellationToken) => new(token.Status);

    public ValueTask<string?> GetSubjectAsync(OAuthToken token, CancellationToken cancellationToken) => new(token.Subject);

    public ValueTask<string?> GetTypeAsync(OAuthToken token, CancellationToken cancellationToken) => new(token.Type);

    /// <summary>Removes those made before the threshold that have expired, or are neither valid nor waiting to be.</summary>
    public async ValueTask<long> PruneAsync(DateTimeOffset threshold, CancellationToken cancellationToken)
    {
        var useless = new Predicate.AllOf(
        [
            index.CreatedBefore(threshold),
            new Predicate.AnyOf(
            [
                index.ExpiredBefore(Clock.GetUtcNow()),
                new Predicate.Not(new Predicate.AnyOf([index.Where(null, null, Statuses.Valid, null), index.Where(null, null, Statuses.Inactive, null)])),
            ]),
        ]);
        var removed = 0L;
        await foreach (var old in WhereAsync(useless, cancellationToken))
        {
            if (await Records.TryRemoveAsync(old.Id, old.Version, cancellationToken))
            {
                removed++;
            }
        }
        return removed;
    }

    public ValueTask<long> RevokeAsync(string? subject, string? client, string? status, string? type, CancellationToken cancellationToken) =>
        ChangeAllAsync(index.Where(subject, client, status, type), Revoke, cancellationToken);

    public ValueTask<long> RevokeByApplicationIdAsync(string identifier, CancellationToken cancellationToken) =>
        ChangeAllAsync(index.Where(null, identifier, null, null), Revoke, cancellationToken);

    public ValueTask<long> RevokeByAuthorizationIdAsync(string identifier, CancellationToken cancellationToken) =>
        ChangeAllAsync(index.OfAuthorization(identifier), Revoke, cancellationToken);

    public ValueTask<long> RevokeBySubjectAsync(string subject, CancellationToken cancellationToken) =>
        ChangeAllAsync(index.Where(subject, null, null, null), Revoke, cancellationToken);

    public ValueTask SetApplicationIdAsync(OAuthToken token, string? identifier, CancellationToken cancellationToken)
    {
        token.ApplicationId = identifier;
        return default;
    }

    public ValueTask SetAuthorizationIdAsync(OAuthToken token, string? identifier, CancellationToken cancellationToken)
    {
        token.AuthorizationId = identifier;
        return default;
    }

    public ValueTask SetCreationDateAsync(OAuthToken token, DateTimeOffset? date, CancellationToken cancellationToken)
    {
        token.CreationDate = date;
        return default;
    }

    public ValueTask SetExpirationDateAsync(OAuthToken token, DateTimeOffset? date, CancellationToken cancellationToken)
    {
        token.ExpirationDate = date;
        return default;
    }

    public ValueTask SetPayloadAsync(OAuthToken token, string? payload, CancellationToken cancellationToken)
    {
        token.Payload = payload;
        return default;
    }

    public ValueTask SetRedemptionDateAsync(OAuthToken token, DateTimeOffset? date, CancellationToken cancellationToken)
    {
        token.RedemptionDate = date;
        return default;
    }

    public ValueTask SetReferenceIdAsync(OAuthToken token, string? identifier, CancellationToken cancellationToken)
    {
        token.ReferenceId = identifier;
        return default;
    }

    public ValueTask SetStatusAsync(OAuthToken token, string? status, CancellationToken cancellationToken)
    {
        token.Status = status;
        return default;
    }

    public ValueTask SetSubjectAsync(OAuthToken token, string? subject, CancellationToken cancellationToken)
    {
        token.Subject = subject;
        return default;
    }

    public ValueTask SetTypeAsync(OAuthToken token, string? type, CancellationToken cancellationToken)
    {
        token.Type = type;
        return default;
    }

    private static void Revoke(OAuthToken token) => token.Status = Statuses.Revoked;
}
