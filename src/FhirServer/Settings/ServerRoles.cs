namespace FhirServer.Settings;

/// <summary><c>Server:Roles</c>: what this process does. Default: everything.</summary>
/// <param name="Api">Answers FHIR requests and gives out tokens; without it, only health and metrics.</param>
/// <param name="Worker">Ends holds, clears away what is over; one process at a time for each such job.</param>
/// <param name="Subscriptions">Tells subscribers and patients what has happened and what is due.</param>
/// <param name="Forecasting">Follows the load and forecasts it.</param>
public sealed record ServerRoles(bool Api, bool Worker, bool Subscriptions, bool Forecasting)
{
    private const string Key = "Server:Roles";
    private const string Offered = "api,worker,subscriptions,forecasting";

    internal static ServerRoles Read(SettingsReader read)
    {
        var roles = new ServerRoles(false, false, false, false);
        var names = read.Text(Key, Offered).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        foreach (var name in names)
        {
            switch (name)
            {
                case "api":
                    roles = roles with { Api = true };
                    break;
                case "worker":
                    roles = roles with { Worker = true };
                    break;
                case "subscriptions":
                    roles = roles with { Subscriptions = true };
                    break;
                case "forecasting":
                    roles = roles with { Forecasting = true };
                    break;
                default:
                    read.Refuse(Key, $"'{name}' is not one of {Offered.Replace(",", ", ", StringComparison.Ordinal)}");
                    break;
            }
        }
        if (names.Length == 0)
        {
            read.Refuse(Key, "names no role");
        }
        return roles;
    }

    /// <returns>What nobody does when this is the only process, in one line; null where nothing is missing.</returns>
    internal string? MissingWhenAlone
    {
        get
        {
            (bool Has, string Role, string Nobody)[] all =
            [
                (Api, "api", "answers requests"), (Worker, "worker", "ends holds or clears away what is over"),
                (Subscriptions, "subscriptions", "tells subscribers and patients"), (Forecasting, "forecasting", "forecasts"),
            ];
            var missing = all.Where(role => !role.Has).ToArray();
            return missing.Length == 0 ? null
                : $"{Key} names no {string.Join(", no ", missing.Select(role => role.Role))} and no other process can use this data folder: nobody {string.Join("; nobody ", missing.Select(role => role.Nobody))}.";
        }
    }
}
