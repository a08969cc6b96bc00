using Authorization.Accounts;

namespace Authorization.Pages;

/// <summary>What is wrong with a form: fields and keys of texts, in the order of the page.</summary>
public sealed class FormFaults
{
    private readonly List<(string Field, string Key)> _all = [];

    public IReadOnlyList<(string Field, string Key)> All => _all;

    public bool HasAny => _all.Count > 0;

    /// <param name="field">Name and id of its input; empty for the form as a whole.</param>
    public void Add(string field, string key) => _all.Add((field, key));

    /// <returns>Key of the text; null where the field is right.</returns>
    public string? Of(string field) => _all.Find(fault => fault.Field == field).Key;

    /// <summary>They have not shown once more that it is them: by their password, or where they have none by a sign-in of late.</summary>
    public void AddNotConfirmed(Account account, string field)
    {
        ArgumentNullException.ThrowIfNull(account);
        if (account.PasswordHash is null)
        {
            Add("", "confirm.again");
        }
        else
        {
            Add(field, "password.current.wrong");
        }
    }

    public void AddPassword(string field, PasswordFault? fault)
    {
        if (fault is not null)
        {
            Add(field, $"password.{fault}");
        }
    }
}
