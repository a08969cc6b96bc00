using Authorization.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Authorization.Accounts;

/// <summary>
/// Passkeys (WebAuthn), checked by ASP.NET Core Identity's handler over our own accounts. The authenticator always asks its owner for a
/// finger, a face or a PIN, so a passkey is two factors at once.
/// </summary>
public sealed class Passkeys
{
    public const int MostPerAccount = 20;
    public const int LongestName = 60;

    /// <summary>RFC 8176: a key in hardware or in the system's keeping, with its owner's presence, more than one factor.</summary>
    internal static readonly string[] Methods = ["hwk", "user", "mfa"];

    private readonly AccountDirectory _accounts;
    private readonly TimeProvider _clock;
    private readonly IOptions<IdentityPasskeyOptions> _options;
    private readonly IServiceProvider _services;
    private readonly ILogger<UserManager<PasskeyUser>> _logger;

    public Passkeys(AccountDirectory accounts, PublicAddresses addresses, TimeProvider clock, IServiceProvider services, ILogger<UserManager<PasskeyUser>> logger)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        _accounts = accounts;
        _clock = clock;
        _services = services;
        _logger = logger;
        _options = Options.Create(new IdentityPasskeyOptions
        {
            ServerDomain = new Uri(addresses.Issuer).Host,
            UserVerificationRequirement = "required",
            ResidentKeyRequirement = "required",
            AttestationConveyancePreference = "none",
            ValidateOrigin = context => new(!context.CrossOrigin && string.Equals(context.Origin, addresses.Origin, StringComparison.OrdinalIgnoreCase)),
        });
    }

    /// <returns>Options for <c>navigator.credentials.create</c>, and what the answer is checked against.</returns>
    public async Task<(string Options, string State)> AskForNewAsync(HttpContext context, string accountId, Account account)
    {
        ArgumentNullException.ThrowIfNull(account);
        using var users = Users(context.RequestAborted);
        var made = await new PasskeyHandler<PasskeyUser>(users, _options).MakeCreationOptionsAsync(
            new() { Id = accountId, Name = account.UserName, DisplayName = account.DisplayName ?? account.UserName }, context);
        return (made.CreationOptionsJson, made.AttestationState!);
    }

    /// <returns>False where the answer is not right, or there is no room for another one.</returns>
    public async Task<bool> AddAsync(HttpContext context, string accountId, string name, string credential, string state)
    {
        using var users = Users(context.RequestAborted);
        var result = await new PasskeyHandler<PasskeyUser>(users, _options).PerformAttestationAsync(
            new() { HttpContext = context, CredentialJson = credential, AttestationState = state });
        if (!result.Succeeded || result.UserEntity.Id != accountId || !result.Passkey.IsUserVerified)
        {
            return false;
        }
        var made = result.Passkey;
        var passkey = new StoredPasskey(
            made.CredentialId, made.PublicKey, name, _clock.GetUtcNow(), made.SignCount, made.Transports, made.IsUserVerified, made.IsBackupEligible, made.IsBackedUp);
        var done = await _accounts.ChangeAsync(
            accountId,
            account =>
            {
                if (account.Passkeys.Count >= MostPerAccount || account.Passkeys.Exists(known => known.Id.AsSpan().SequenceEqual(passkey.Id)))
                {
                    return false;
                }
                account.Passkeys.Add(passkey);
                return true;
            },
            context.RequestAborted);
        return done is { Changed: true };
    }

    public Task RemoveAsync(string accountId, byte[] id, CancellationToken ct) =>
        _accounts.ChangeAsync(accountId, account => account.Passkeys.RemoveAll(known => known.Id.AsSpan().SequenceEqual(id)) > 0, ct);

    /// <returns>Options for <c>navigator.credentials.get</c>, the same for everyone, and what the answer is checked against.</returns>
    public async Task<(string Options, string State)> AskAsync(HttpContext context)
    {
        using var users = Users(context.RequestAborted);
        var made = await new PasskeyHandler<PasskeyUser>(users, _options).MakeRequestOptionsAsync(null, context);
        return (made.RequestOptionsJson, made.AssertionState!);
    }

    /// <returns>The account whose passkey has answered; null where none has, or it cannot sign in.</returns>
    public async Task<string?> TryAsync(HttpContext context, string credential, string state)
    {
        using var users = Users(context.RequestAborted);
        var result = await new PasskeyHandler<PasskeyUser>(users, _options).PerformAssertionAsync(
            new() { HttpContext = context, CredentialJson = credential, AssertionState = state });
        if (!result.Succeeded || result.User.Account.Status == AccountStatus.Disabled)
        {
            return null;
        }
        // Counted in the write: of two answers with the same count one is a copy's.
        var used = result.Passkey;
        var done = await _accounts.ChangeAsync(
            result.User.Id,
            account =>
            {
                var at = account.Passkeys.FindIndex(known => known.Id.AsSpan().SequenceEqual(used.CredentialId));
                if (at < 0 || account.Status == AccountStatus.Disabled || (used.SignCount > 0 && used.SignCount <= account.Passkeys[at].SignCount))
                {
                    return false;
                }
                account.Passkeys[at] = account.Passkeys[at] with { SignCount = used.SignCount, BackedUp = used.IsBackedUp };
                return true;
            },
            context.RequestAborted);
        return done is { Changed: true } ? result.User.Id : null;
    }

    private UserManager<PasskeyUser> Users(CancellationToken ct) => new(
        new PasskeyUserStore(_accounts, ct), Options.Create(new IdentityOptions()), new PasswordHasher<PasskeyUser>(), [], [], new UpperInvariantLookupNormalizer(), new(), _services, _logger);
}
