using System.Collections.Concurrent;
using System.Text.Json;
using Authorization.Scopes;
using FhirCore;
using FhirStore.Access;

namespace Authorization.Access;

/// <summary>A grant under the circumstances of a request, its reach compiled when first asked for.</summary>
internal sealed class Caller(Grant grant, Circumstances now, RestrictionCompiler compiler, PatientWrites patientWrites) : ICaller
{
    private readonly ConcurrentDictionary<(Use Use, string Type), Restriction> _reach = new();

    public string Name { get; } = grant.User is { } user ? $"{grant.ClientId}\n{user.AccountId}\n{grant.Launch?.Patient}" : grant.ClientId;

    public Restriction Reach(Use use, string type) =>
        _reach.TryGetValue((use, type), out var known) ? known : _reach.GetOrAdd((use, type), static (asked, self) => self.Compile(asked.Use, asked.Type), this);

    public FhirFailure? Object(ResourceKey key, JsonElement? before, JsonElement? after) => TopicWrites.Check(grant, key, before, after) ?? patientWrites.Check(grant, key, before, after);

    private Restriction Compile(Use use, string type) => compiler.Compile(type, use switch
    {
        Use.Read => grant.Reach(Permissions.Read, type, now),
        Use.Search => grant.Reach(Permissions.Search, type, now),
        Use.Create => grant.Reach(Permissions.Create, type, now),
        Use.Update => grant.Reach(Permissions.Update, type, now),
        Use.Delete => grant.Reach(Permissions.Delete, type, now),
        Use.Name => grant.ReachOfNames(type, now),
        _ => throw new ArgumentOutOfRangeException(nameof(use), use, "Say here what the new use needs."),
    });
}
