using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using FhirCore;
using FhirCore.Records;
using FhirStore.Sealed;
using OpenIddict.Abstractions;

namespace Authorization.Stores;

/// <summary>What the four OpenIddict stores share: one entity is one sealed record, and a lost race is OpenIddict's concurrency exception.</summary>
public abstract class SealedStore<T>(SealedRecords<T> records, TimeProvider clock)
    where T : OAuthEntity, new()
{
    private protected SealedRecords<T> Records { get; } = records;

    private protected TimeProvider Clock { get; } = clock;

    public ValueTask<long> CountAsync(CancellationToken cancellationToken) => Records.CountAsync(cancellationToken);

    /// <exception cref="NotSupportedException">Always: sealed records cannot be queried by expression.</exception>
    public ValueTask<long> CountAsync<TResult>(Func<IQueryable<T>, IQueryable<TResult>> query, CancellationToken cancellationToken) =>
        throw NoQueries();

    /// <exception cref="NotSupportedException">Always: sealed records cannot be queried by expression.</exception>
    public ValueTask<TResult?> GetAsync<TState, TResult>(
        Func<IQueryable<T>, TState, IQueryable<TResult>> query, TState state, CancellationToken cancellationToken) => throw NoQueries();

    /// <exception cref="NotSupportedException">Always: sealed records cannot be queried by expression.</exception>
    public IAsyncEnumerable<TResult> ListAsync<TState, TResult>(
        Func<IQueryable<T>, TState, IQueryable<TResult>> query, TState state, CancellationToken cancellationToken) => throw NoQueries();

    public async ValueTask CreateAsync(T entity, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entity);
        if (!await Records.TryWriteAsync(entity.Id, entity, 0, Duplicate(entity), cancellationToken))
        {
            throw Conflict(entity, "was created by someone else");
        }
        entity.Version = 1;
    }

    public async ValueTask UpdateAsync(T entity, CancellationToken cancellationToken)
    {
        if (!await TryUpdateAsync(entity, cancellationToken))
        {
            throw Conflict(entity, "was changed or removed meanwhile");
        }
    }

    public async ValueTask DeleteAsync(T entity, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entity);
        if (!await Records.TryRemoveAsync(entity.Id, entity.Version, cancellationToken))
        {
            throw Conflict(entity, "was changed or removed meanwhile");
        }
    }

    public async ValueTask<T?> FindByIdAsync(string identifier, CancellationToken cancellationToken) =>
        Read(await Records.FindAsync(identifier, cancellationToken));

    public ValueTask<string?> GetIdAsync(T entity, CancellationToken cancellationToken) => new(entity.Id);

    public ValueTask<T> InstantiateAsync(CancellationToken cancellationToken) => new(new T { Id = FhirIds.New(Clock) });

    public async IAsyncEnumerable<T> ListAsync(int? count, int? offset, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var skip = offset ?? 0;
        var left = count ?? int.MaxValue;
        if (left <= 0)
        {
            yield break;
        }
        await foreach (var entity in WhereAsync(Predicate.Everything, cancellationToken))
        {
            if (skip > 0)
            {
                skip--;
                continue;
            }
            yield return entity;
            if (--left == 0)
            {
                yield break;
            }
        }
    }

    public ValueTask<ImmutableDictionary<string, JsonElement>> GetPropertiesAsync(T entity, CancellationToken cancellationToken) =>
        new(entity.Properties?.ToImmutableDictionary() ?? ImmutableDictionary<string, JsonElement>.Empty);

    public ValueTask SetPropertiesAsync(T entity, ImmutableDictionary<string, JsonElement> properties, CancellationToken cancellationToken)
    {
        entity.Properties = properties is { Count: > 0 } ? new(properties) : null;
        return default;
    }

    /// <summary>What no second record may match; null where nothing need be unique.</summary>
    private protected virtual Predicate? Duplicate(T entity) => null;

    private protected async IAsyncEnumerable<T> WhereAsync(Predicate where, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var found in Records.QueryAsync(where, ct))
        {
            yield return Read(found)!;
        }
    }

    private protected async ValueTask<T?> FirstAsync(Predicate where, CancellationToken ct) => Read(await Records.FirstAsync(where, ct));

    /// <summary>Changes all that match; one that changes under our hands is read again.</summary>
    /// <returns>How many were changed.</returns>
    private protected async ValueTask<long> ChangeAllAsync(Predicate where, Action<T> change, CancellationToken ct)
    {
        var changed = 0L;
        await foreach (var found in WhereAsync(where, ct))
        {
            var entity = found;
            while (entity is not null)
            {
                change(entity);
                if (await TryUpdateAsync(entity, ct))
                {
                    changed++;
                    break;
                }
                entity = await FindByIdAsync(entity.Id, ct);
            }
        }
        return changed;
    }

    private protected static ImmutableArray<string> List(string[]? values) => values is null ? [] : [.. values];

    private protected static string[]? Keep(ImmutableArray<string> values) => values.IsDefaultOrEmpty ? null : [.. values];

    private protected static ImmutableDictionary<CultureInfo, string> Localised(Dictionary<string, string>? names) =>
        names?.ToImmutableDictionary(pair => CultureInfo.GetCultureInfo(pair.Key), pair => pair.Value) ?? ImmutableDictionary<CultureInfo, string>.Empty;

    private protected static Dictionary<string, string>? Keep(ImmutableDictionary<CultureInfo, string> names) =>
        names is { Count: > 0 } ? names.ToDictionary(pair => pair.Key.Name, pair => pair.Value) : null;

    private async ValueTask<bool> TryUpdateAsync(T entity, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(entity);
        if (!await Records.TryWriteAsync(entity.Id, entity, entity.Version, Duplicate(entity), ct))
        {
            return false;
        }
        entity.Version++;
        return true;
    }

    private static T? Read(Sealed<T>? found)
    {
        if (found is null)
        {
            return null;
        }
        found.Value.Id = found.Id;
        found.Value.Version = found.Version;
        return found.Value;
    }

    private static NotSupportedException NoQueries() => new("The records are sealed: use the Find methods, they go by index.");

    private static OpenIddictExceptions.ConcurrencyException Conflict(T entity, string what) =>
        new($"The {typeof(T).Name} {entity.Id} {what}.");
}
