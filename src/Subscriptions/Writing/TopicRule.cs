using System.Text.Json;
using FhirCore;
using FhirStore.Writing;
using Subscriptions.Topics;

namespace Subscriptions.Writing;

/// <summary>Looks at every write of a SubscriptionTopic, a <c>Basic</c> of that code: one that the server could not keep an eye on is refused.</summary>
public sealed class TopicRule(TopicReader reader, TopicDirectory directory) : IWriteRule
{
    private static readonly JsonDocumentOptions Depth = new() { MaxDepth = 1_000 };

    public async ValueTask<FhirFailure?> ApplyAsync(WritePlan plan, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(plan);
        foreach (var write in plan.Writes)
        {
            if (write.Key.Type != "Basic")
            {
                continue;
            }
            var isTopic = write.Resource is { } resource && TopicReader.IsTopic(resource);
            if (isTopic && await CheckAsync(write, ct) is { } refusal)
            {
                return refusal.At(write.Location);
            }
            if (isTopic || WasTopic(write))
            {
                plan.Stamps.Add(TopicDirectory.Stamp);
            }
        }
        return null;
    }

    private async ValueTask<FhirFailure?> CheckAsync(PlannedWrite write, CancellationToken ct)
    {
        if (!reader.Parse(write.Resource!.Value).TryGet(out var topic, out var failure))
        {
            return failure;
        }
        var topics = await directory.ReadAsync(ct);
        return topics.Own.Any(other => other.Url == topic.Url) || topics.Stored.Any(other => other.Url == topic.Url && other.StoredAs != write.Key.Id)
            ? FhirFailure.Of(FailureKind.Unprocessable, "Another topic has this url; choose one of your own.", "Basic.extension", "duplicate")
            : null;
    }

    private static bool WasTopic(PlannedWrite write)
    {
        if (write.Previous is not { Deleted: false } previous)
        {
            return false;
        }
        using var document = JsonDocument.Parse(previous.Json, Depth);
        return TopicReader.IsTopic(document.RootElement);
    }
}
