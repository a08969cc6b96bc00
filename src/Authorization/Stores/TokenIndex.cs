using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Sealed;

namespace Authorization.Stores;

/// <summary>Index of token records. When they were made and end is clear, so that the sweep finds them; the rest is tokens.</summary>
public sealed class TokenIndex(IndexTokens tokens)
{
    public const string RecordType = "_OAuthToken";
    private static readonly IndexField Created = IndexField.Of("created");
    private static readonly IndexField Expires = IndexField.Of("expires");
    private readonly TokenField _application = new(tokens, RecordType, "application");
    private readonly TokenField _authorization = new(tokens, RecordType, "authorization");
    private readonly TokenField _reference = new(tokens, RecordType, "reference");
    private readonly TokenField _subject = new(tokens, RecordType, "subject");
    private readonly TokenField _status = new(tokens, RecordType, "status");
    private readonly TokenField _type = new(tokens, RecordType, "type");

    public Predicate OfAuthorization(string id) => _authorization.Is(id);

    public Predicate Reference(string id) => _reference.Is(id);

    public Predicate Where(string? subject, string? application, string? status, string? type) =>
        TokenField.AllOf((_subject, subject), (_application, application), (_status, status), (_type, type));

    public Predicate CreatedBefore(DateTimeOffset instant) => Before(Created, instant);

    public Predicate ExpiredBefore(DateTimeOffset instant) => Before(Expires, instant);

    public void Add(OAuthToken token, IndexEntries.Builder entries)
    {
        _application.Add(entries, token.ApplicationId);
        _authorization.Add(entries, token.AuthorizationId);
        _reference.Add(entries, token.ReferenceId);
        _subject.Add(entries, token.Subject);
        _status.Add(entries, token.Status);
        _type.Add(entries, token.Type);
        if (token.CreationDate is { } created)
        {
            entries.Add(Created, SortableTime.Encode(created));
        }
        if (token.ExpirationDate is { } expires)
        {
            entries.Add(Expires, SortableTime.Encode(expires));
        }
    }

    private static Predicate.Between Before(IndexField field, DateTimeOffset instant) =>
        new(field, new byte[SortableTime.Length], SortableTime.Encode(instant));
}
