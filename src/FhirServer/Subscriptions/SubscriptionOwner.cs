using System.Text.Json;
using System.Text.Json.Nodes;
using FhirServer.Http;
using FhirStore.Json;
using FhirStore.Writing;
using Subscriptions;

namespace FhirServer.Subscriptions;

/// <summary>
/// Marks a Subscription with whose it is, before anybody is asked whether it is theirs to write: a person's app reaches the Subscriptions
/// that carry its own mark.
/// </summary>
internal static class SubscriptionOwner
{
    private const string Type = "Subscription";

    public static WriteRequest Mark(FhirRequest request, WriteRequest write)
    {
        if (write.Body is not { Type: Type } body)
        {
            return write;
        }
        var grant = request.Grant.Keep();
        var marked = body with { Root = Mark(body.Root, grant.Owner) };
        return write switch
        {
            WriteRequest.Create create => create with { Resource = marked, InNameOf = grant },
            WriteRequest.Update update => update with { Resource = marked, InNameOf = grant },
            WriteRequest.ConditionalUpdate update => update with { Resource = marked, InNameOf = grant },
            _ => write,
        };
    }

    private static JsonElement Mark(JsonElement root, string owner)
    {
        var subscription = JsonObject.Create(root)!;
        var meta = subscription["meta"]?.DeepClone().AsObject() ?? [];
        JsonArray tags = [.. (meta["tag"]?.AsArray() ?? []).Where(tag => (string?)tag?["system"] != Backport.OwnerTag).Select(tag => tag?.DeepClone())];
        tags.Add(new JsonObject { ["system"] = Backport.OwnerTag, ["code"] = owner });
        meta["tag"] = tags;
        subscription["meta"] = meta;
        return JsonSerializer.SerializeToElement(subscription);
    }
}
