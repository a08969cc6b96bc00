using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Authorization.Access;
using FhirCore;
using FhirServer.Http;
using FhirServer.Interactions;
using FhirStore.Json;
using FhirStore.Writing;

namespace FhirServer.Provenances;

/// <summary>
/// The header <c>X-Provenance</c>, https://hl7.org/fhir/R4/provenance.html#header: a Provenance without target, stored in the commit of
/// what it tells of and pointing at the versions that this commit writes.
/// </summary>
internal static class XProvenance
{
    public const string Header = "X-Provenance";

    /// <summary>Marks the write for <see cref="ProvenanceRule"/>, and in the change log.</summary>
    internal const string Cause = "x-provenance";

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 64 };

    /// <returns>Null where the header may come with the request.</returns>
    public static FhirFailure? Check(FhirInteraction interaction, string? ifNoneExist) =>
        interaction is not (FhirInteraction.Create or FhirInteraction.Update or FhirInteraction.Batch) ? Refuse("X-Provenance goes with a create, an update or a transaction.", "not-supported")
        : ifNoneExist is not null ? Refuse("X-Provenance is not offered together with If-None-Exist: there may be nothing written to tell of.", "not-supported")
        : null;

    public static FhirFailure InBatch => Refuse("X-Provenance goes with a transaction, not with a batch.", "not-supported");

    /// <summary>The writes, named so that the Provenance can point at them, and the Provenance behind them.</summary>
    public static Outcome<ImmutableArray<WriteRequest>> Add(string header, FhirRequest request, ImmutableArray<WriteRequest> writes)
    {
        if (AccessDecision.Decide(request.Grant, Interaction.Create, "Provenance") is { } refusal)
        {
            return refusal;
        }
        var named = writes.ToBuilder();
        var targets = new JsonArray();
        for (var i = 0; i < named.Count; i++)
        {
            if (named[i].Body is null)
            {
                continue;
            }
            named[i] = named[i] with { FullUrl = named[i].FullUrl ?? string.Create(CultureInfo.InvariantCulture, $"urn:x-provenance:{i}") };
            targets.Add(new JsonObject { ["reference"] = named[i].FullUrl });
        }
        if (targets.Count == 0)
        {
            return Refuse("X-Provenance tells of what is created or updated; this transaction only deletes or reads.", "not-supported");
        }
        if (!Parse(header, targets).TryGet(out var provenance, out var failure))
        {
            return failure;
        }
        named.Add(new WriteRequest.Create(provenance, []) { Cause = Cause, Location = null });
        return named.ToImmutable();
    }

    private static Outcome<ParsedResource> Parse(string header, JsonArray targets)
    {
        JsonObject provenance;
        try
        {
            if (JsonNode.Parse(header, documentOptions: Strict) is not JsonObject given)
            {
                return Refuse("X-Provenance holds a Provenance as one JSON object.", "structure");
            }
            provenance = given;
        }
        catch (JsonException)
        {
            return Refuse("X-Provenance is not valid JSON.", "structure");
        }
        if (provenance.ContainsKey("target"))
        {
            return Refuse("The Provenance of X-Provenance has no target: the server puts in what was written.", "value", "Provenance.target");
        }
        if (provenance.ContainsKey("id"))
        {
            return Refuse("The Provenance of X-Provenance has no id: the server gives it one.", "value", "Provenance.id");
        }
        provenance["target"] = targets;
        return ResourceParser.Parse(Encoding.UTF8.GetBytes(provenance.ToJsonString()), "Provenance", inTransaction: true);
    }

    private static FhirFailure Refuse(string why, string code, string expression = "Provenance") => FhirFailure.Of(FailureKind.Invalid, why, expression, code);
}

/// <summary>Makes the targets of a Provenance that came in a header those versions that its commit writes.</summary>
internal sealed class ProvenanceRule : IWriteRule
{
    public ValueTask<FhirFailure?> ApplyAsync(WritePlan plan, CancellationToken ct)
    {
        foreach (var write in plan.Writes)
        {
            if (write is { Cause: XProvenance.Cause, Resource: { } resource, Key.Type: "Provenance" })
            {
                var provenance = JsonObject.Create(resource)!;
                foreach (var target in provenance["target"]!.AsArray())
                {
                    target!["reference"] = VersionOf(plan, (string)target["reference"]!);
                }
                write.Replace(provenance);
            }
        }
        return new((FhirFailure?)null);
    }

    private static string VersionOf(WritePlan plan, string reference)
    {
        var write = plan.Writes.Find(other => other.Key.ToString() == reference);
        return write is null ? reference : string.Create(CultureInfo.InvariantCulture, $"{reference}/_history/{(write.Previous?.Version ?? 0) + 1}");
    }
}
