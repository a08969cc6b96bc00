using System.Runtime.CompilerServices;
using Authorization.Access.Privacy;
using FhirStore.Access;
using FhirStore.Indexing;

namespace Authorization.Access;

/// <summary>From a grant to what the store asks about who calls: made once for a grant, and again when consents change.</summary>
public sealed class Callers(RestrictionCompiler compiler, ConsentBook consents, ResourceIndexer indexer, TimeProvider clock)
{
    /// <summary>Consents begin and end without being written; so long one may be late.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(10);

    private readonly ConditionalWeakTable<Grant, Kept> _kept = [];
    private readonly PatientWrites _patientWrites = new(indexer);

    private sealed record Kept(Caller Caller, ConsentSnapshot? Consents, DateTimeOffset Until);

    /// <param name="breakGlass">Only where <see cref="Grant.MayBreakGlass"/>.</param>
    /// <returns>Null where the grant is not limited.</returns>
    public ValueTask<ICaller?> OfAsync(Grant grant, bool breakGlass, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(grant);
        if (grant.IsUnlimited)
        {
            return default;
        }
        return grant.User is { } user ? OfUserAsync(grant, user, breakGlass && grant.MayBreakGlass, ct) : new(OfClient(grant));
    }

    private Caller OfClient(Grant grant) =>
        _kept.GetValue(grant, made => new(new(made, Circumstances.Plain, compiler, _patientWrites), null, DateTimeOffset.MaxValue)).Caller;

    private async ValueTask<ICaller?> OfUserAsync(Grant grant, GrantedUser user, bool breakGlass, CancellationToken ct)
    {
        if (breakGlass)
        {
            return new Caller(grant, Circumstances.Plain with { BreakGlass = true }, compiler, _patientWrites);
        }
        var snapshot = await consents.ReadAsync(ct);
        var now = clock.GetUtcNow();
        if (_kept.TryGetValue(grant, out var kept) && ReferenceEquals(kept.Consents, snapshot) && now < kept.Until)
        {
            return kept.Caller;
        }
        var made = new Kept(new(grant, new(false, type => snapshot.Denying(user, type, now)), compiler, _patientWrites), snapshot, now + Lifetime);
        _kept.AddOrUpdate(grant, made);
        return made.Caller;
    }
}
