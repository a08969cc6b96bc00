using Auditing.Entries;
using FhirCore.Records;
using FhirStore.Encryption;

namespace Auditing.Blocks;

/// <summary>
/// By what the blocks of a patient, a resource, a client or a person are found: keyed 8-byte tokens, one for each that a block tells of.
/// The engine learns which blocks have one in common, not whom.
/// </summary>
internal sealed class AboutIndex(IndexTokens tokens)
{
    private const int Length = 8;

    private static readonly IndexField About = IndexField.Of("about");
    private static readonly IndexField Links = IndexField.Of("links");
    private static readonly IndexField Chain = IndexField.Of("chain");

    private readonly IndexTokenKey _key = tokens.KeyFor("_AuditBlock/about");

    public static string OfResource(string type, string id) => string.Concat(type, "/", id);

    public static string OfClient(string clientId) => "client " + clientId;

    public static string OfAccount(string accountId) => "account " + accountId;

    /// <param name="subjects">Of all entries of the block, without repeats.</param>
    public IndexEntries Build(string chain, IReadOnlyCollection<string> subjects, bool hasLinks)
    {
        var entries = new IndexEntries.Builder();
        Span<byte> token = stackalloc byte[Length];
        foreach (var subject in subjects)
        {
            _key.Token(subject, token);
            entries.Add(About, token);
        }
        entries.Add(Chain, System.Text.Encoding.ASCII.GetBytes(chain));
        if (hasLinks)
        {
            entries.Add(Links, [1]);
        }
        return entries.Build();
    }

    public Predicate Is(string subject)
    {
        var token = new byte[Length];
        _key.Token(subject, token);
        return new Predicate.EqualTo(About, token);
    }

    public static Predicate OfChain(string chain) => new Predicate.EqualTo(Chain, System.Text.Encoding.ASCII.GetBytes(chain));

    public static Predicate HasLinks { get; } = new Predicate.EqualTo(Links, new byte[] { 1 });

    /// <summary>Everybody and everything an entry is found by.</summary>
    public static void AddSubjects(AuditEntry entry, HashSet<string> subjects)
    {
        for (var i = 0; i < entry.Patients.Count; i++)
        {
            subjects.Add(OfResource("Patient", entry.Patients[i]));
        }
        if (entry is { Id: { } id, Type: { } type } && !(type == "Patient" && entry.Patients is [var only] && only == id))
        {
            subjects.Add(OfResource(type, id));
        }
        if (entry.ClientId is { } client)
        {
            subjects.Add(OfClient(client));
        }
        if (entry.AccountId is { } account)
        {
            subjects.Add(OfAccount(account));
        }
        if (entry.FhirUser is { } user)
        {
            subjects.Add(OfResource(user.Type, user.Id));
        }
    }
}
