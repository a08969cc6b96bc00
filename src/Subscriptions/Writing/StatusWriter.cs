using System.Text.Json;
using System.Text.Json.Nodes;
using FhirCore;
using FhirStore;
using FhirStore.Writing;
using Subscriptions.Definitions;

namespace Subscriptions.Writing;

/// <summary>Writes into a Subscription what the server alone says of it: its status, and the last error.</summary>
public sealed class StatusWriter(ResourceStore store)
{
    /// <summary>In the change log.</summary>
    public const string Cause = "subscription-status";

    /// <param name="version">The version that the decision rests on.</param>
    /// <param name="error">Goes into <c>Subscription.error</c>; null takes it away.</param>
    /// <returns>The new version; null where the Subscription has changed meanwhile, and nothing was written.</returns>
    public async ValueTask<long?> TryWriteAsync(ResourceKey key, long version, SubscriptionStatus status, string? error, CancellationToken ct)
    {
        var done = await store.CommitPlanAsync<bool>(async (plan, token) =>
        {
            if (await plan.ReadAsync(key, token) is not { Deleted: false } found || found.Version != version)
            {
                return false;
            }
            var subscription = JsonNode.Parse(found.Json.Span, documentOptions: new() { MaxDepth = 1_000 })!.AsObject();
            Set(subscription, status, error);
            (await plan.AddAsync(key, subscription, Cause, token)).Vouched = true;
            return true;
        }, ct);
        return done.TryGet(out var result, out var failure)
            ? result.Value ? result.Written[key].Version : null
            : throw new InvalidOperationException($"The status of a Subscription was refused: {failure.Issues[0].Code}.");
    }

    /// <summary>In the order that R4 has the elements in.</summary>
    internal static void Set(JsonObject subscription, SubscriptionStatus status, string? error)
    {
        subscription["status"] = DefinitionReader.CodeOf(status);
        subscription.Remove("error");
        subscription.Remove("_error");
        if (error is not null)
        {
            subscription["error"] = error;
        }
    }
}
