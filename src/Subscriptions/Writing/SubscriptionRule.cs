using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using FhirCore;
using FhirStore.Access;
using FhirStore.Search;
using FhirStore.Writing;
using Subscriptions.Definitions;
using Subscriptions.Feeds;
using Subscriptions.Json;
using Subscriptions.Topics;

namespace Subscriptions.Writing;

/// <summary>
/// Looks at every write of a Subscription, whatever route it came by: what cannot be honoured is refused, what is the server's is put
/// right, and who asked is kept with it.
/// </summary>
public sealed class SubscriptionRule(
    DefinitionReader definitions, TopicDirectory directory, SubscriptionRecords own, SearchService search, SubscriptionOptions options, TimeProvider clock) : IWriteRule
{
    private const string NobodyKnown = "Nobody is known in whose name this is: send it again with status requested.";
    private const int ShortestSecret = 24;
    private const int LongestSecret = 128;

    public async ValueTask<FhirFailure?> ApplyAsync(WritePlan plan, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(plan);
        foreach (var write in plan.Writes)
        {
            if (write is { Key.Type: "Subscription", Vouched: false } && await ApplyAsync(plan, write, ct) is { } refusal)
            {
                return refusal.At(write.Location);
            }
        }
        return null;
    }

    private async ValueTask<FhirFailure?> ApplyAsync(WritePlan plan, PlannedWrite write, CancellationToken ct)
    {
        var known = await own.Subscribers.FindAsync(write.Key.Id, ct);
        if (write.Resource is not { } resource)
        {
            if (known is not null)
            {
                await KeepAsync(plan, write.Key.Id, new(), known.Version, ct); // its secrets go with it
            }
            return null;
        }
        var subscription = JsonObject.Create(resource)!;
        var isOff = resource.Text("status") == "off";
        if (!definitions.Read(write.Key, resource, await directory.ReadAsync(ct)).TryGet(out var definition, out var failure)
            || !ReadSecrets(write, resource, definition, known?.Value, subscription).TryGet(out var subscriber, out failure))
        {
            return failure;
        }
        if (definition.End <= clock.GetUtcNow())
        {
            return FhirFailure.Of(FailureKind.Unprocessable, "The end of the subscription is past.", "Subscription.end", "value");
        }
        if (CheckReach(plan.Caller, definition) is { } forbidden)
        {
            return forbidden;
        }
        var status = write.InNameOf is null || isOff ? SubscriptionStatus.Off : SubscriptionStatus.Requested;
        if (status == SubscriptionStatus.Requested && await CheckNumberAsync(write, ct) is { } tooMany)
        {
            return tooMany;
        }
        StatusWriter.Set(subscription, status, write.InNameOf is null ? NobodyKnown : null);
        write.Replace(subscription);
        await KeepAsync(plan, write.Key.Id, subscriber, known?.Version ?? 0, ct);
        return null;
    }

    /// <summary>Secrets are taken out of the Subscription, which anybody may read who may read Subscriptions.</summary>
    private static Outcome<Subscriber> ReadSecrets(PlannedWrite write, JsonElement resource, SubscriptionDefinition definition, Subscriber? known, JsonObject subscription)
    {
        var channel = resource.Member("channel")!.Value;
        var written = channel.Items("header").Select(header => header.GetString() ?? "").ToArray();
        var secrets = ((JsonElement?)channel).Extensions(Backport.SigningSecret).Select(JsonView.ValueText).ToArray();
        if (definition.Channel != ChannelKind.RestHook && (written.Length > 0 || secrets.Length > 0))
        {
            return FhirFailure.Of(FailureKind.Unprocessable, "Headers and a signing secret belong to the channel rest-hook.", "Subscription.channel.header", "value");
        }
        // Whoever could change the endpoint and keep the secrets would be sent them.
        var kept = known?.Grant?.Owner == write.InNameOf?.Owner && EndpointBefore(write) == definition.Endpoint ? known : null;
        if (!HeaderReader.Read(written, kept?.Headers ?? []).TryGet(out var headers, out var failure))
        {
            return failure;
        }
        var secret = secrets.Length == 0 ? null : secrets[0] == HeaderReader.Mask ? kept?.SigningSecret : secrets[0];
        if (secrets.Length > 1 || (secrets.Length == 1 && (secret is not { Length: >= ShortestSecret and <= LongestSecret } || secret.AsSpan().IndexOfAnyExceptInRange('!', '~') >= 0)))
        {
            return FhirFailure.Of(FailureKind.Unprocessable, $"The signing secret is one text of {ShortestSecret} to {LongestSecret} printable ASCII characters.", "Subscription.channel.extension", "value");
        }
        Mask(subscription["channel"]!.AsObject());
        return new Subscriber { Grant = write.InNameOf, Headers = headers, SigningSecret = secret };
    }

    private static void Mask(JsonObject channel)
    {
        if (channel["header"] is JsonArray headers)
        {
            channel["header"] = new JsonArray([.. headers.Select(header => (JsonNode)HeaderReader.Masked((string)header!))]);
        }
        foreach (var extension in channel["extension"]?.AsArray() ?? [])
        {
            if ((string?)extension!["url"] == Backport.SigningSecret)
            {
                extension["valueString"] = HeaderReader.Mask;
            }
        }
    }

    private static string? EndpointBefore(PlannedWrite write)
    {
        if (write.Previous is not { Deleted: false } previous)
        {
            return null;
        }
        using var document = JsonDocument.Parse(previous.Json, new() { MaxDepth = 1_000 });
        return document.RootElement.Member("channel")?.Text("endpoint");
    }

    /// <summary>Of some type at least there must be something that the subscriber may see; which resources, is decided for each of them.</summary>
    private static FhirFailure? CheckReach(ICaller? caller, SubscriptionDefinition definition)
    {
        if (caller is null)
        {
            return null;
        }
        foreach (var type in definition.Filters.Keys)
        {
            // What is found by criteria is searched for; of what a topic tells, it is enough that it may be read.
            if (!caller.Reach(Use.Read, type).IsNothing && (definition.Topic is not null || !caller.Reach(Use.Search, type).IsNothing))
            {
                return null;
            }
        }
        return FhirFailure.Of(FailureKind.Forbidden, $"The token does not allow to read {string.Join(", ", definition.Filters.Keys.Order(StringComparer.Ordinal).Take(5))}: there would be nothing to tell.", "Subscription.criteria");
    }

    private async ValueTask<FhirFailure?> CheckNumberAsync(PlannedWrite write, CancellationToken ct)
    {
        if (options.PerSubscriber == 0 || write.Previous is { Deleted: false })
        {
            return null;
        }
        ImmutableArray<KeyValuePair<string, string>> mine =
            [new("_tag", $"{Backport.OwnerTag}|{write.InNameOf!.Owner}"), new("status:not", "off"), new("_summary", "count")];
        return (await search.SearchAsync(new("Subscription", mine), ct)).TryGet(out var counted, out _) && counted.Total >= options.PerSubscriber
            ? FhirFailure.Of(FailureKind.Unprocessable, string.Create(CultureInfo.InvariantCulture, $"There are {counted.Total} subscriptions of yours, the most one may have: turn off or delete those that are not needed."), "Subscription", "too-costly")
            : null;
    }

    private async ValueTask KeepAsync(WritePlan plan, string id, Subscriber subscriber, long version, CancellationToken ct)
    {
        var keyWrites = new List<FhirCore.Records.RecordWrite>();
        plan.InternalWrites.Add(await own.Subscribers.SealAsync(id, subscriber, version, keyWrites, ct));
        plan.InternalWrites.AddRange(keyWrites);
    }
}
