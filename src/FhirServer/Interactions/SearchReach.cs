using System.Collections.Immutable;
using Authorization.Access;
using FhirCore;
using FhirServer.Http;
using FhirStore.Model;
using FhirStore.Search;

namespace FhirServer.Interactions;

/// <summary>
/// Which other types a search looks through: a chain, <c>_has</c> and <c>_revinclude</c> tell something of resources that the caller
/// might not be allowed to search, even where none of them is in the answer.
/// </summary>
internal static class SearchReach
{
    private const string Has = "_has:";

    /// <returns>Null where every type looked through may be searched.</returns>
    public static FhirFailure? Check(Grant grant, FhirRequest request)
    {
        if (request.Route.Type is not { } type || (request.Query.IsEmpty && request.IfNoneExist is null) || grant.Allows(Interaction.SearchType, null))
        {
            return null;
        }
        if (Check(grant, type, request.Query) is { } refusal)
        {
            return refusal;
        }
        return request.IfNoneExist is { } header && QueryParameters.Parse(header.AsSpan(header.IndexOf('?', StringComparison.Ordinal) + 1)).TryGet(out var criteria, out _)
            ? Check(grant, type, criteria)
            : null;
    }

    private static FhirFailure? Check(Grant grant, string type, ImmutableArray<KeyValuePair<string, string>> parameters)
    {
        foreach (var (name, value) in parameters)
        {
            if (CheckName(grant, type, name) is { } refusal)
            {
                return refusal;
            }
            if (name.StartsWith("_revinclude", StringComparison.Ordinal) && value.IndexOf(':', StringComparison.Ordinal) is var colon and > 0
                && R4Model.IsResourceType(value[..colon]) && AccessDecision.Decide(grant, Interaction.SearchType, value[..colon]) is { } hidden)
            {
                return hidden;
            }
        }
        return null;
    }

    private static FhirFailure? CheckName(Grant grant, string type, string name)
    {
        if (name.StartsWith(Has, StringComparison.Ordinal))
        {
            // _has:Observation:patient:code, and what follows may be a chain or a _has again.
            return name[Has.Length..].Split(':', 3) is [var source, _, var rest] && R4Model.IsResourceType(source)
                ? AccessDecision.Decide(grant, Interaction.SearchType, source) ?? CheckName(grant, source, rest)
                : null;
        }
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0)
        {
            return null;
        }
        var link = name[..dot].Split(':', 2);
        foreach (var target in link is [_, var given] ? [given] : SearchParameterInfo.TargetsOf(type, link[0]))
        {
            if (!R4Model.IsResourceType(target))
            {
                continue; // the search itself says what is wrong
            }
            if ((AccessDecision.Decide(grant, Interaction.SearchType, target) ?? CheckName(grant, target, name[(dot + 1)..])) is { } refusal)
            {
                return refusal;
            }
        }
        return null;
    }
}
