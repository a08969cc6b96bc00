using System.Text.Json;
using FhirCore;

namespace Authorization.Access;

/// <summary>
/// SubscriptionTopics are evaluated on everybody's resources, and others' subscriptions rest on them: clients that act for themselves
/// define them, people's apps do not.
/// </summary>
internal static class TopicWrites
{
    public static FhirFailure? Check(Grant grant, ResourceKey key, JsonElement? before, JsonElement? after) =>
        key.Type == "Basic" && grant.User is not null && (IsTopic(before) || IsTopic(after))
            ? FhirFailure.Of(FailureKind.Forbidden, "SubscriptionTopics are defined by clients that act for themselves (system/Basic scopes).", "Basic.code")
            : null;

    private static bool IsTopic(JsonElement? basic) =>
        basic is { ValueKind: JsonValueKind.Object } resource && resource.TryGetProperty("code"u8, out var code) && code.TryGetProperty("coding"u8, out var codings)
        && codings.EnumerateArray().Any(coding => coding.TryGetProperty("code"u8, out var text) && text.ValueEquals("SubscriptionTopic"u8));
}
