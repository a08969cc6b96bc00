using System.Globalization;
using System.Text.Json;
using Subscriptions.Channels;
using Subscriptions.Json;

namespace Subscriptions.Tests.Support;

/// <summary>What a receiver reads in a notification.</summary>
internal static class Bundles
{
    public static JsonElement Read(this Outgoing sent) => JsonDocument.Parse(sent.Bundle!.Value).RootElement;

    /// <summary>Numbers of the events, as they stand.</summary>
    public static IReadOnlyList<long> Numbers(this Outgoing sent) => [.. Events(sent).Select(told => long.Parse(told.Part("event-number")!.Value.Text("valueString")!, CultureInfo.InvariantCulture))];

    /// <summary>Parts of each event.</summary>
    public static IReadOnlyList<JsonElement> Events(this Outgoing sent) => [.. Parameters(sent).Where(parameter => parameter.Text("name") == "notification-event")];

    public static IEnumerable<JsonElement> Parameters(this Outgoing sent) => sent.Read().GetProperty("entry")[0].GetProperty("resource").Items("parameter");

    public static JsonElement? Part(this JsonElement told, string name)
    {
        var found = told.Items("part").Where(part => part.Text("name") == name).ToArray();
        return found.Length == 0 ? null : found[0];
    }
}
