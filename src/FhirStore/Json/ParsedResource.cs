using System.Text.Json;

namespace FhirStore.Json;

/// <summary>A resource that has passed the strict parse and the structural checks.</summary>
/// <param name="Root">Backed by memory of its own: valid as long as it is referenced.</param>
/// <param name="Id">The id in the body, if it has one.</param>
public sealed record ParsedResource(string Type, string? Id, JsonElement Root);
