using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Sealed;
using Microsoft.Extensions.Options;

namespace Authorization.Accounts;

/// <summary>How long a name is locked after so many wrong passwords in a row.</summary>
internal static class LockOutSchedule
{
    /// <summary>After so long without an attempt the count begins anew.</summary>
    public static readonly TimeSpan Forget = TimeSpan.FromDays(1);

    /// <returns>Zero while more attempts are free.</returns>
    public static TimeSpan LockAfter(int failures, AccountOptions options)
    {
        if (failures < options.LockOutAfter)
        {
            return TimeSpan.Zero;
        }
        var doublings = Math.Min(failures - options.LockOutAfter, 20);
        var lasts = options.LockOutFirst * (1 << doublings);
        return lasts < options.LockOutLongest ? lasts : options.LockOutLongest;
    }
}

/// <summary>Wrong passwords typed for one name, whether or not anyone has it: so a lock tells nobody who has an account.</summary>
public sealed class FailedSignIns
{
    public int Count { get; set; }

    public DateTimeOffset Last { get; set; }

    public DateTimeOffset LockedUntil { get; set; }
}

/// <summary>Found by id, which is made from the name by a key. When it was last touched is clear, so that the sweep finds it.</summary>
public sealed class FailedSignInIndex(IndexTokens tokens)
{
    public const string RecordType = "_FailedSignIns";
    private readonly IndexTokenKey _names = tokens.KeyFor($"{RecordType}/name");

    public string IdOf(string name) => SecretId.Of(_names, name);

    public static void Add(FailedSignIns failures, IndexEntries.Builder entries)
    {
        ArgumentNullException.ThrowIfNull(failures);
        EndsField.Add(entries, failures.Last + LockOutSchedule.Forget);
    }
}

/// <summary>
/// Locks a name after wrong passwords. An attempt is counted before the password is looked at and forgiven when it was right:
/// a thousand attempts at the same time are not one.
/// </summary>
public sealed class LockOut(SealedRecords<FailedSignIns> records, FailedSignInIndex index, IOptions<AccountOptions> options, TimeProvider clock)
{
    /// <param name="name">A user name, or anything else that is guessed at, such as the second factor of an account.</param>
    /// <returns>False while the name is locked: the attempt is not counted, and must fail.</returns>
    public async Task<bool> TryBeginAsync(string name, CancellationToken ct)
    {
        var id = index.IdOf(name);
        while (true)
        {
            var now = clock.GetUtcNow();
            var found = await records.FindAsync(id, ct);
            var failures = found is null || found.Value.Last + LockOutSchedule.Forget <= now ? new() : found.Value;
            if (failures.LockedUntil > now)
            {
                return false;
            }
            failures.Count++;
            failures.Last = now;
            failures.LockedUntil = now + LockOutSchedule.LockAfter(failures.Count, options.Value);
            if (await records.TryWriteAsync(id, failures, found?.Version ?? 0, null, ct))
            {
                return true;
            }
        }
    }

    /// <summary>It was the right one.</summary>
    public async Task ForgiveAsync(string name, CancellationToken ct)
    {
        var id = index.IdOf(name);
        while (await records.FindAsync(id, ct) is { } found && !await records.TryRemoveAsync(id, found.Version, ct))
        {
        }
    }
}
