using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Authorization.Accounts;

/// <summary>Hashes passwords as ASP.NET Core Identity does: PBKDF2-HMAC-SHA512, 128 bits of salt.</summary>
public sealed class Passwords
{
    private readonly PasswordHasher<Account> _hasher;
    private readonly Lazy<string> _nobodys;

    public Passwords(IOptions<AccountOptions> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _hasher = new(Options.Create(new PasswordHasherOptions { IterationCount = options.Value.PasswordIterations }));
        _nobodys = new(() => Hash(Guid.NewGuid().ToString()));
    }

    public string Hash(string password) => _hasher.HashPassword(null!, password); // the hasher looks at no user

    /// <summary>Takes as long where there is no hash to compare with: time tells nobody who has an account.</summary>
    public PasswordVerificationResult Verify(string? hash, string password)
    {
        var result = _hasher.VerifyHashedPassword(null!, hash ?? _nobodys.Value, password.Length > PasswordRules.Longest * 4 ? "" : password);
        return hash is null ? PasswordVerificationResult.Failed : result;
    }
}
