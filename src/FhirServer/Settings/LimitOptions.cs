using System.ComponentModel.DataAnnotations;

namespace FhirServer.Settings;

/// <summary>
/// Section <c>Limits</c>: how much one caller may ask of one process; 0 is no limit. What a minute or an hour allows may come at once, and
/// comes back bit by bit.
/// </summary>
public sealed class LimitOptions
{
    /// <summary>Requests of one person, over all their apps. Entries of a Bundle count each.</summary>
    [Range(0, 1_000_000)]
    public int RequestsPerMinutePerUser { get; set; } = 600;

    /// <summary>Requests of one client that acts for itself.</summary>
    [Range(0, 1_000_000)]
    public int RequestsPerMinutePerClient { get; set; }

    /// <summary>What one person's requests may cost: records that the store hands over count one each, records that it takes ten.</summary>
    [Range(0, 1_000_000_000)]
    public int RecordsPerMinutePerUser { get; set; } = 30_000;

    /// <summary>What the requests of one client that acts for itself may cost.</summary>
    [Range(0, 1_000_000_000)]
    public int RecordsPerMinutePerClient { get; set; }

    /// <summary>Searches of Slots and <c>$find</c> of one person: nobody copies the calendar of a clinic.</summary>
    [Range(0, 1_000_000)]
    public int SlotSearchesPerMinutePerUser { get; set; } = 60;

    /// <summary>Holds that one person takes.</summary>
    [Range(0, 1_000_000)]
    public int HoldsPerHourPerUser { get; set; } = 30;
}

internal static class LimitSettings
{
    /// <exception cref="SettingsException">A value is wrong; the message names its key.</exception>
    public static LimitOptions Read(IConfiguration configuration)
    {
        var section = configuration.GetSection("Limits");
        return BoundSection.Read("Limits", section, new LimitOptions(), options => section.Bind(options));
    }
}
