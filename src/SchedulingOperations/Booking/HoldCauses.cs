using System.Text.Json.Nodes;
using SchedulingOperations.Rules;
using SchedulingOperations.Views;

namespace SchedulingOperations.Booking;

/// <summary>Why a hold ends without a booking.</summary>
internal static class HoldCauses
{
    public const string Expired = "hold-expired";
    public const string Released = "hold-released";

    private const string System = "urn:fhir-server:cancelation-reason";

    public static JsonObject ExpiredReason() => new()
    {
        ["coding"] = new JsonArray(new JsonObject { ["system"] = System, ["code"] = Expired, ["display"] = "The hold has expired" }),
    };

    /// <summary>Cancelled by us because its time was over, not by anybody's wish.</summary>
    public static bool EndedByExpiry(in AppointmentView appointment)
    {
        if (appointment.Status != AppointmentStatus.Cancelled || !appointment.Root.TryGetProperty("cancelationReason"u8, out var reason))
        {
            return false;
        }
        foreach (var coding in new ElementList(reason, "coding"u8))
        {
            if (coding.TryGetProperty("system"u8, out var system) && system.ValueEquals(System) && coding.TryGetProperty("code"u8, out var code) && code.ValueEquals(Expired))
            {
                return true;
            }
        }
        return false;
    }
}
