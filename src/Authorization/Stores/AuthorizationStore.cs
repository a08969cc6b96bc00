using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Sealed;
using OpenIddict.Abstractions;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Authorization.Stores;

/// <summary>Index of authorization records. When they were made is clear, whose they are is not.</summary>
public sealed class AuthorizationIndex(IndexTokens tokens)
{
    public const string RecordType = "_OAuthAuthorization";
    private static readonly IndexField Created = IndexField.Of("created");
    private readonly TokenField _application = new(tokens, RecordType, "application");
    private readonly TokenField _subject = new(tokens, RecordType, "subject");
    private readonly TokenField _status = new(tokens, RecordType, "status");
    private readonly TokenField _type = new(tokens, RecordType, "type");

    public Predicate Where(string? subject, string? application, string? status, string? type) =>
        TokenField.AllOf((_subject, subject), (_application, application), (_status, status), (_type, type));

    public static Predicate CreatedBefore(DateTimeOffset instant) =>
        new Predicate.Between(Created, new byte[SortableTime.Length], SortableTime.Encode(instant));

    public void Add(OAuthAuthorization authorization, IndexEntries.Builder entries)
    {
        _application.Add(entries, authorization.ApplicationId);
        _subject.Add(entries, authorization.Subject);
        _status.Add(entries, authorization.Status);
        _type.Add(entries, authorization.Type);
        if (authorization.CreationDate is { } created)
        {
            entries.Add(Created, SortableTime.Encode(created));
        }
    }
}

public sealed class AuthorizationStore(
    SealedRecords<OAuthAuthorization> records, AuthorizationIndex index, SealedRecords<OAuthToken> tokens, TokenIndex tokenIndex, TimeProvider clock)
    : SealedStore<OAuthAuthorization>(records, clock), IOpenIddictAuthorizationStore<OAuthAuthorization>
{
    public async IAsyncEnumerable<OAuthAuthorization> FindAsync(
        string? subject, string? client, string? status, string? type, ImmutableArray<string>? scopes,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var found in WhereAsync(index.Where(subject, client, status, type), cancellationToken))
        {
            if (scopes is not { IsDefaultOrEmpty: false } wanted || wanted.All(scope => found.Scopes?.Contains(scope, StringComparer.Ordinal) is true))
            {
                yield return found;
            }
        }
    }

    public IAsyncEnumerable<OAuthAuthorization> FindByApplicationIdAsync(string identifier, CancellationToken cancellationToken) =>
        WhereAsync(index.Where(null, identifier, null, null), cancellationToken);

    public IAsyncEnumerable<OAuthAuthorization> FindBySubjectAsync(string subject, CancellationToken cancellationToken) =>
        WhereAsync(index.Where(subject, null, null, null), cancellationToken);

    public ValueTask<string?> GetApplicationIdAsync(OAuthAuthorization authorization, CancellationToken cancellationToken) => new(authorization.ApplicationId);

    public ValueTask<DateTimeOffset?> GetCreationDateAsync(OAuthAuthorization authorization, CancellationToken cancellationToken) =>
        new(authorization.CreationDate);

    public ValueTask<ImmutableArray<string>> GetScopesAsync(OAuthAuthorization authorization, CancellationToken cancellationToken) =>
        new(List(authorization.Scopes));

    public ValueTask<string?> GetStatusAsync(OAuthAuthorization authorization, CancellationToken cancellationToken) => new(authorization.Status);

    public ValueTask<string?> GetSubjectAsync(OAuthAuthorization authorization, CancellationToken cancellationToken) => new(authorization.Subject);

    public ValueTask<string?> GetTypeAsync(OAuthAuthorization authorization, CancellationToken cancellationToken) => new(authorization.Type);

    /// <summary>Removes those made before the threshold that are no longer valid, or were made for one use and have no token left.</summary>
    public async ValueTask<long> PruneAsync(DateTimeOffset threshold, CancellationToken cancellationToken)
    {
        var removed = 0L;
        await foreach (var old in WhereAsync(AuthorizationIndex.CreatedBefore(threshold), cancellationToken))
        {
            var useless = old.Status != Statuses.Valid
                || (old.Type == AuthorizationTypes.AdHoc && !await tokens.AnyAsync(tokenIndex.OfAuthorization(old.Id), cancellationToken));
            if (useless && await Records.TryRemoveAsync(old.Id, old.Version, cancellationToken))
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

    public ValueTask<long> RevokeBySubjectAsync(string subject, CancellationToken cancellationToken) =>
        ChangeAllAsync(index.Where(subject, null, null, null), Revoke, cancellationToken);

    public ValueTask SetApplicationIdAsync(OAuthAuthorization authorization, string? identifier, CancellationToken cancellationToken)
    {
        authorization.ApplicationId = identifier;
        return default;
    }

    public ValueTask SetCreationDateAsync(OAuthAuthorization authorization, DateTimeOffset? date, CancellationToken cancellationToken)
    {
        authorization.CreationDate = date;
        return default;
    }

    public ValueTask SetScopesAsync(OAuthAuthorization authorization, ImmutableArray<string> scopes, CancellationToken cancellationToken)
    {
        authorization.Scopes = Keep(scopes);
        return default;
    }

    public ValueTask SetStatusAsync(OAuthAuthorization authorization, string? status, CancellationToken cancellationToken)
    {
        authorization.Status = status;
        return default;
    }

    public ValueTask SetSubjectAsync(OAuthAuthorization authorization, string? subject, CancellationToken cancellationToken)
    {
        authorization.Subject = subject;
        return default;
    }

    public ValueTask SetTypeAsync(OAuthAuthorization authorization, string? type, CancellationToken cancellationToken)
    {
        authorization.Type = type;
        return default;
    }

    private static void Revoke(OAuthAuthorization authorization) => authorization.Status = Statuses.Revoked;
}
