using Microsoft.Extensions.Options;

namespace Authorization.Accounts;

/// <summary>Stops the start on a wrong setting, with the key's name and never its secret value.</summary>
internal sealed class AccountOptionsValidator : IValidateOptions<AccountOptions>
{
    private const int LeastIterations = 100_000;
    private const int MostIterations = 5_000_000;

    public ValidateOptionsResult Validate(string? name, AccountOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var errors = new List<string>();
        Time(nameof(AccountOptions.SessionLifetime), options.SessionLifetime, TimeSpan.FromMinutes(5), TimeSpan.FromDays(7));
        Time(nameof(AccountOptions.SessionIdle), options.SessionIdle, TimeSpan.FromMinutes(1), options.SessionLifetime);
        Number(nameof(AccountOptions.LockOutAfter), options.LockOutAfter, 3, 20);
        Time(nameof(AccountOptions.LockOutFirst), options.LockOutFirst, TimeSpan.FromSeconds(10), options.LockOutLongest);
        Time(nameof(AccountOptions.LockOutLongest), options.LockOutLongest, TimeSpan.FromSeconds(10), TimeSpan.FromDays(1));
        Time(nameof(AccountOptions.CodeLifetime), options.CodeLifetime, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(60));
        Time(nameof(AccountOptions.InvitationLifetime), options.InvitationLifetime, TimeSpan.FromHours(1), TimeSpan.FromDays(30));
        Number(nameof(AccountOptions.PasswordIterations), options.PasswordIterations, LeastIterations, MostIterations);
        CheckFirst(options.FirstAdministrator);
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);

        void Time(string key, TimeSpan value, TimeSpan least, TimeSpan most)
        {
            if (value < least || value > most)
            {
                errors.Add($"{AccountOptions.Section}:{key} must be from {least} to {most}.");
            }
        }

        void Number(string key, int value, int least, int most)
        {
            if (value < least || value > most)
            {
                errors.Add($"{AccountOptions.Section}:{key} must be from {least} to {most}.");
            }
        }

        void CheckFirst(FirstAdministratorOptions first)
        {
            const string section = AccountOptions.Section + ":FirstAdministrator";
            if (first.UserName.Length == 0 && first.Password.Length == 0)
            {
                return;
            }
            if (UserNames.Normalise(first.UserName) is not { } userName)
            {
                errors.Add($"{section}:UserName must be 3 to 100 letters, digits and . _ - + @.");
                return;
            }
            if (PasswordRules.Check(first.Password, userName) is { } fault)
            {
                errors.Add($"{section}:Password is no good password ({fault}): give {PasswordRules.Shortest} to {PasswordRules.Longest} characters that are not a common password and not the user name.");
            }
        }
    }
}
