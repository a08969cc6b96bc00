using Authorization.Access;
using FhirCore.Records;
using FhirStore.Sealed;
using Microsoft.Extensions.Logging;

namespace Authorization.Accounts;

public enum LinkResult
{
    /// <summary>Linked at once.</summary>
    Linked,
    /// <summary>Staff will look at it. Says nothing about whether such a Patient exists.</summary>
    Asked,
    /// <summary>Too many statements in a short time.</summary>
    TooMany,
}

/// <summary>Links accounts to Patients: by certain match, or by staff.</summary>
public sealed partial class PatientLinks(
    SealedRecords<Account> accounts, SealedRecords<StoredLinkRequest> requests, AccountIndex index, PatientMatch match, LockOut lockOut, TimeProvider clock, ILogger<PatientLinks> logger)
{
    public async Task<LinkResult> StateAsync(string accountId, PatientClaim claim, CancellationToken ct)
    {
        // Each statement tells, by its outcome, something about the Patients there are: so they are counted like passwords.
        if (!await lockOut.TryBeginAsync($"link of {accountId}", ct) || await accounts.FindAsync(accountId, ct) is not { Value.FhirUser: null } account)
        {
            return LinkResult.TooMany;
        }
        if (PatientMatch.Certain(await match.FindAsync(claim, account.Value, ct)) is { } certain && await TryLinkAsync(accountId, certain.Id, alsoWhereLinked: false, ct))
        {
            await RemoveAsync(accountId, ct);
            LogLinked(logger, accountId, "by match");
            return LinkResult.Linked;
        }
        var request = new StoredLinkRequest { Claim = claim, At = clock.GetUtcNow() };
        while (!await requests.TryWriteAsync(accountId, request, (await requests.FindAsync(accountId, ct))?.Version ?? 0, null, ct))
        {
        }
        return LinkResult.Asked;
    }

    public async Task<bool> HasAskedAsync(string accountId, CancellationToken ct) => await requests.FindAsync(accountId, ct) is not null;

    public IAsyncEnumerable<Sealed<StoredLinkRequest>> WaitingAsync(CancellationToken ct) => requests.QueryAsync(Predicate.Everything, ct);

    public ValueTask<Sealed<StoredLinkRequest>?> FindAsync(string accountId, CancellationToken ct) => requests.FindAsync(accountId, ct);

    /// <summary>Whether another account is this Patient's already.</summary>
    public ValueTask<bool> IsLinkedAsync(string patientId, CancellationToken ct) => accounts.AnyAsync(index.FhirUser($"Patient/{patientId}"), ct);

    /// <summary>Staff have compared: the Patient is this person. Only a Patient with the stated identifier can be chosen.</summary>
    /// <param name="by">Account of the member of staff.</param>
    public async Task<bool> ApproveAsync(string accountId, string patientId, string by, CancellationToken ct)
    {
        if (await requests.FindAsync(accountId, ct) is not { } request
            || await accounts.FindAsync(accountId, ct) is not { } account
            || !(await match.FindAsync(request.Value.Claim, account.Value, ct)).Any(candidate => candidate.Id == patientId && candidate.Fit)
            || !await TryLinkAsync(accountId, patientId, alsoWhereLinked: true, ct))
        {
            return false;
        }
        await RemoveAsync(accountId, ct);
        LogLinked(logger, accountId, $"by {by}");
        return true;
    }

    public Task RefuseAsync(string accountId, CancellationToken ct) => RemoveAsync(accountId, ct);

    private async Task<bool> TryLinkAsync(string accountId, string patientId, bool alsoWhereLinked, CancellationToken ct)
    {
        var reference = $"Patient/{patientId}";
        while (await accounts.FindAsync(accountId, ct) is { Value: { FhirUser: null, Status: not AccountStatus.Disabled } account } found)
        {
            account.FhirUser = reference;
            account.Status = AccountStatus.Active;
            account.OutsideRequest = null; // they are a patient: no administrator need decide
            if (!account.Roles.Exists(held => held.Role == Role.Patient))
            {
                account.Roles.Add(new(Role.Patient));
            }
            if (await accounts.TryWriteAsync(accountId, account, found.Version, alsoWhereLinked ? null : index.FhirUser(reference), ct))
            {
                return true;
            }
            if (!alsoWhereLinked && await accounts.AnyAsync(index.FhirUser(reference), ct))
            {
                return false;
            }
        }
        return false;
    }

    private async Task RemoveAsync(string accountId, CancellationToken ct)
    {
        while (await requests.FindAsync(accountId, ct) is { } found && !await requests.TryRemoveAsync(accountId, found.Version, ct))
        {
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Account {AccountId} was linked to a Patient {How}.")]
    private static partial void LogLinked(ILogger logger, string accountId, string how);
}
