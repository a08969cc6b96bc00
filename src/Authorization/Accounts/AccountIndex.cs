using Authorization.Records;
using FhirCore.Records;
using FhirStore.Encryption;

namespace Authorization.Accounts;

/// <summary>What accounts are found by. All of it names people, so all of it is tokens.</summary>
public sealed class AccountIndex(IndexTokens tokens)
{
    public const string RecordType = "_Account";
    private readonly TokenField _userName = new(tokens, RecordType, "user-name");
    private readonly TokenField _fhirUser = new(tokens, RecordType, "fhir-user");

    /// <param name="userName">In lower case, as <see cref="Account.UserName"/> is.</param>
    public Predicate UserName(string userName) => _userName.Is(userName);

    public Predicate FhirUser(string reference) => _fhirUser.Is(reference);

    public void Add(Account account, IndexEntries.Builder entries)
    {
        ArgumentNullException.ThrowIfNull(account);
        _userName.Add(entries, account.UserName);
        _fhirUser.Add(entries, account.FhirUser);
    }
}
