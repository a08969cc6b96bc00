using System.Text.Json;
using Authorization.Access;
using FhirCore;
using FhirServer.Http;
using FhirStore.Model;

namespace FhirServer.Bundles;

/// <summary>A reference such as <c>Patient?identifier=…</c> in a transaction is a search, and asks for the permission of one.</summary>
internal static class ConditionalReferences
{
    /// <returns>Null where there is none that the caller may not search by.</returns>
    public static FhirFailure? Check(Grant grant, FhirRequest request)
    {
        // Who may search every type needs no look at the body; and without a question mark there is nothing to find.
        if (grant.Allows(Interaction.SearchType, null) || request.Body.Span.IndexOf((byte)'?') < 0)
        {
            return null;
        }
        var reader = new Utf8JsonReader(request.Body.Span, new JsonReaderOptions { MaxDepth = BundleReader.MaxDepth });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("reference"u8) && reader.Read() && reader.TokenType == JsonTokenType.String
                    && reader.GetString()!.Split('?', 2) is [var type, _] && R4Model.IsResourceType(type)
                    && AccessDecision.Decide(grant, Interaction.SearchType, type) is { } refusal)
                {
                    return refusal;
                }
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The parser says what is wrong.
        }
        return null;
    }
}
