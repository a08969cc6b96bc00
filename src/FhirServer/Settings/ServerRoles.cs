namespace FhirServer.Settings;

/// <summary><c>Server:Roles</c>: what this process does. Default: everything.</summary>
/// <param name="Api">Answers FHIR requests and gives out tokens; without it, only health and metrics.</param>
/// <param name="Worker">Ends holds, clears away what is over; one process at a time for each such job.</param>
public sealed record ServerRoles(bool Api, bool Worker)
{
    private const string Key = "Server:Roles";
    private const string Offered = "api,worker";

    internal static ServerRoles Read(SettingsReader read)
    {
        var roles = new ServerRoles(false, false);
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
                case "subscriptions" or "forecasting":
                    read.Refuse(Key, $"'{name}' is not offered by this version; use {Offered}");
                    break;
                default:
                    read.Refuse(Key, $"'{name}' is not one of api, worker, subscriptions, forecasting");
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
    internal string? MissingWhenAlone => (Api, Worker) switch
    {
        (true, false) => $"{Key} names no worker and no other process can use this data folder: nobody ends holds or clears away what is over.",
        (false, true) => $"{Key} names no api and no other process can use this data folder: nobody answers requests.",
        _ => null,
    };
}
