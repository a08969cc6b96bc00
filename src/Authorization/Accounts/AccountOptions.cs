namespace Authorization.Accounts;

/// <summary>Section <c>Auth:Accounts</c> of the settings.</summary>
public sealed class AccountOptions
{
    public const string Section = "Auth:Accounts";

    /// <summary>How long a sign-in lasts at most: 5 minutes to 7 days.</summary>
    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromHours(12);

    /// <summary>How long a session lasts in which nothing is done: 1 minute up to <see cref="SessionLifetime"/>.</summary>
    public TimeSpan SessionIdle { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>Wrong passwords in a row before an account is locked: 3 to 20.</summary>
    public int LockOutAfter { get; set; } = 5;

    /// <summary>The first lock; each further wrong password doubles it. 10 seconds up to <see cref="LockOutLongest"/>.</summary>
    public TimeSpan LockOutFirst { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>The longest lock: at most a day, so that nobody is kept out for ever by a stranger who guesses.</summary>
    public TimeSpan LockOutLongest { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>How long a code of six digits can be used: 1 to 60 minutes.</summary>
    public TimeSpan CodeLifetime { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long an invitation of staff can be used: 1 hour to 30 days.</summary>
    public TimeSpan InvitationLifetime { get; set; } = TimeSpan.FromDays(3);

    /// <summary>Whether patients may register themselves, where codes can be sent.</summary>
    public bool SelfRegistration { get; set; } = true;

    /// <summary>Everyone with a role other than patient must set up one-time codes (TOTP) before they can do anything else.</summary>
    public bool RequireTotpForStaff { get; set; }

    /// <summary>Rounds of PBKDF2-HMAC-SHA512 for new passwords: 100,000 to 5,000,000.</summary>
    public int PasswordIterations { get; set; } = 210_000;

    /// <summary>Made at the start where there is no administrator yet.</summary>
    public FirstAdministratorOptions FirstAdministrator { get; set; } = new();
}

/// <summary>Looked at only while no account is an administrator's; afterwards both values may be removed.</summary>
public sealed class FirstAdministratorOptions
{
    /// <summary>3 to 100 letters, digits and <c>._-+@</c>.</summary>
    public string UserName { get; set; } = "";

    /// <summary>Follows the rules of every password.</summary>
    public string Password { get; set; } = "";
}
