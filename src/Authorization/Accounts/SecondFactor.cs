using System.Security.Cryptography;
using Authorization.Server;
using FhirStore.Encryption;
using FhirStore.Sealed;
using OtpNet;

namespace Authorization.Accounts;

/// <summary>One-time codes of an authenticator app (TOTP, RFC 6238: SHA-1, 30 seconds, six digits), and recovery codes for when it is lost.</summary>
public sealed class SecondFactor(AccountDirectory accounts, LockOut lockOut, IndexTokens tokens, PublicAddresses addresses, TimeProvider clock)
{
    public const int RecoveryCodes = 10;

    private const int SecretBytes = 20; // RFC 4226 section 4, R6
    private const int RecoveryLength = 10;
    private const string RecoveryLetters = "abcdefghjkmnpqrstuvwxyz23456789"; // none that look alike

    /// <summary>One step to either side, for clocks that differ: RFC 6238 section 5.2.</summary>
    private static readonly VerificationWindow Window = new(previous: 1, future: 1);

    private readonly IndexTokenKey _recovery = tokens.KeyFor("~recovery-codes");

    /// <summary>Begins the set-up; asked for only after <see cref="ConfirmAsync"/>.</summary>
    public Task BeginAsync(string accountId, CancellationToken ct)
    {
        var secret = RandomNumberGenerator.GetBytes(SecretBytes);
        return accounts.ChangeAsync(accountId, account => account.TotpSecret is null && (account.TotpPending = secret) is not null, ct);
    }

    /// <summary>What an authenticator app reads from a QR code: https://github.com/google/google-authenticator/wiki/Key-Uri-Format.</summary>
    public string Address(Account account, byte[] secret)
    {
        ArgumentNullException.ThrowIfNull(account);
        var issuer = Uri.EscapeDataString(new Uri(addresses.Issuer).Host);
        return $"otpauth://totp/{issuer}:{Uri.EscapeDataString(account.UserName)}?secret={Base32Encoding.ToString(secret).TrimEnd('=')}&issuer={issuer}&algorithm=SHA1&digits=6&period=30";
    }

    /// <returns>The recovery codes, which are nowhere else; null where the code is not of the secret that is being set up.</returns>
    public async Task<IReadOnlyList<string>?> ConfirmAsync(string accountId, string code, CancellationToken ct)
    {
        if (!await lockOut.TryBeginAsync(Name(accountId), ct))
        {
            return null;
        }
        var recovery = NewRecoveryCodes();
        var done = await accounts.ChangeAsync(
            accountId,
            account =>
            {
                if (account is not { TotpSecret: null, TotpPending: { } pending } || Step(pending, code) is not { } step)
                {
                    return false;
                }
                account.TotpSecret = pending;
                account.TotpPending = null;
                account.TotpLastStep = step;
                account.RecoveryCodes = [.. recovery.Select(one => RecoveryToken(accountId, one))];
                return true;
            },
            ct);
        if (done is not { Changed: true })
        {
            return null;
        }
        await lockOut.ForgiveAsync(Name(accountId), ct);
        return recovery;
    }

    /// <returns>The new codes; those before are worth nothing any more. Null without a second factor.</returns>
    public async Task<IReadOnlyList<string>?> RenewRecoveryCodesAsync(string accountId, CancellationToken ct)
    {
        var recovery = NewRecoveryCodes();
        var done = await accounts.ChangeAsync(
            accountId,
            account => account.TotpSecret is not null && (account.RecoveryCodes = [.. recovery.Select(one => RecoveryToken(accountId, one))]) is not null,
            ct);
        return done is { Changed: true } ? recovery : null;
    }

    public Task RemoveAsync(string accountId, CancellationToken ct) => accounts.ChangeAsync(
        accountId,
        static account =>
        {
            (account.TotpSecret, account.TotpPending, account.TotpLastStep, account.RecoveryCodes) = (null, null, 0, []);
            return true;
        },
        ct);

    /// <summary>A one-time code that was not used yet, or a recovery code. Tries are counted like those of passwords.</summary>
    public async Task<bool> TryAsync(string accountId, string code, CancellationToken ct)
    {
        if (!await lockOut.TryBeginAsync(Name(accountId), ct))
        {
            return false;
        }
        var recovery = RecoveryToken(accountId, code);
        var done = await accounts.ChangeAsync(accountId, account => Use(account, code, recovery), ct);
        if (done is not { Changed: true })
        {
            return false;
        }
        await lockOut.ForgiveAsync(Name(accountId), ct);
        return true;
    }

    private static string Name(string accountId) => $"second factor of {accountId}";

    private bool Use(Account account, string code, string recovery)
    {
        if (account.TotpSecret is not { } secret)
        {
            return false;
        }
        if (Step(secret, code) is { } step && step > account.TotpLastStep)
        {
            account.TotpLastStep = step;
            return true;
        }
        return account.RecoveryCodes.Remove(recovery);
    }

    /// <returns>The step the code is of; null where it is wrong.</returns>
    private long? Step(byte[] secret, string code)
    {
        var digits = code.Replace(" ", "", StringComparison.Ordinal);
        return digits.Length == 6 && digits.All(char.IsAsciiDigit)
            && new Totp(secret).VerifyTotp(clock.GetUtcNow().UtcDateTime, digits, out var step, Window)
            ? step
            : null;
    }

    private static string[] NewRecoveryCodes() =>
        [.. Enumerable.Range(0, RecoveryCodes).Select(_ => RandomNumberGenerator.GetString(RecoveryLetters, RecoveryLength).Insert(RecoveryLength / 2, "-"))];

    private string RecoveryToken(string accountId, string code)
    {
        var plain = code.Replace("-", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant();
        return SecretId.Of(_recovery, $"{accountId} {plain}");
    }
}
