using System.Text.Json;

namespace SchedulingOperations.Rules;

/// <summary>A room is used by one appointment at a time, a building by many. https://hl7.org/fhir/R4/valueset-location-physical-type.html</summary>
public static class LocationSize
{
    /// <summary>False too where the Location does not say what it is.</summary>
    public static bool IsBiggerThanRoom(JsonElement location)
    {
        if (!location.TryGetProperty("physicalType"u8, out var type) || !type.TryGetProperty("coding"u8, out var codings) || codings.ValueKind != JsonValueKind.Array)
        {
            return false;
        }
        foreach (var coding in codings.EnumerateArray())
        {
            if (coding.TryGetProperty("code"u8, out var code) && code.GetString() is "si" or "bu" or "wi" or "wa" or "lvl" or "co" or "ho" or "rd" or "jdn" or "area")
            {
                return true;
            }
        }
        return false;
    }
}
