using Authorization.Access;
using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Sealed;

namespace Authorization.Accounts;

/// <summary>What accounts are found by. All of it names people, so all of it is tokens.</summary>
public sealed class AccountIndex(IndexTokens tokens)
{
    public const string RecordType = "_Account";
    private const string Yes = "yes";
    private readonly TokenField _userName = new(tokens, RecordType, "user-name");
    private readonly TokenField _fhirUser = new(tokens, RecordType, "fhir-user");
    private readonly TokenField _role = new(tokens, RecordType, "role");
    private readonly TokenField _outsideSubject = new(tokens, RecordType, "outside-subject");
    private readonly TokenField _waiting = new(tokens, RecordType, "waiting");

    /// <param name="userName">In lower case, as <see cref="Account.UserName"/> is.</param>
    public Predicate UserName(string userName) => _userName.Is(userName);

    public Predicate FhirUser(string reference) => _fhirUser.Is(reference);

    /// <summary>Whoever holds the role, for whichever organization.</summary>
    public Predicate Role(Role role) => _role.Is(role.ToString());

    /// <param name="subject">As <see cref="Account.OutsideSubject"/>.</param>
    public Predicate OutsideSubject(string subject) => _outsideSubject.Is(subject);

    /// <summary>Whoever came from an outside provider and waits for an administrator.</summary>
    public Predicate IsWaiting => _waiting.Is(Yes);

    public void Add(Account account, IndexEntries.Builder entries)
    {
        ArgumentNullException.ThrowIfNull(account);
        _userName.Add(entries, account.UserName);
        _fhirUser.Add(entries, account.FhirUser);
        _outsideSubject.Add(entries, account.OutsideSubject);
        _waiting.Add(entries, account.OutsideRequest is null ? null : Yes);
        foreach (var held in account.Roles)
        {
            _role.Add(entries, held.Role.ToString());
        }
    }
}
