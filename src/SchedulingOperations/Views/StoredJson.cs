using System.Text.Json;
using FhirStore;

namespace SchedulingOperations.Views;

/// <summary>Opens stored bytes for reading.</summary>
internal static class StoredJson
{
    public static JsonElement Root(this StoredResource resource) => JsonElement.Parse(resource.Json.Span);

    public static AppointmentView Appointment(this StoredResource resource) => new(resource.Root());
}
