namespace FhirCore.Records;

/// <summary>
/// An engine that keeps something twice (rows to look records up by beside the records themselves) and can compare it with itself.
/// Nobody may commit at the same time.
/// </summary>
public interface IStoreSelfCheck
{
    /// <returns>Each disagreement.</returns>
    IAsyncEnumerable<StoreDisagreement> DisagreementsAsync(CancellationToken ct);
}

/// <param name="Key">The record it is about; null where that cannot be told.</param>
/// <param name="What">One line without values of the record.</param>
public sealed record StoreDisagreement(ResourceKey? Key, string What);
