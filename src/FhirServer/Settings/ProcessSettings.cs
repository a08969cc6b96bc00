using System.Net;
using FhirStore.Leases;

namespace FhirServer.Settings;

/// <summary>What a process needs to know to be one of several: part of section <c>Server</c>.</summary>
public sealed record ProcessSettings
{
    public required ServerRoles Roles { get; init; }

    /// <summary>How long a background job waits for its owner's sign of life before another process may have it.</summary>
    public required TimeSpan LeaseTime { get; init; }

    /// <summary>How long requests are still served after the first signal to stop, so that whoever balances the load can notice.</summary>
    public required TimeSpan DrainTime { get; init; }

    /// <summary>Longest time from a request's last byte to the first of its answer; what takes longer is given up with 503.</summary>
    public required TimeSpan RequestTimeout { get; init; }

    /// <summary>Most requests at work at once; those above it are told at once to come back.</summary>
    public required int MaxConcurrentRequests { get; init; }

    /// <summary>Whose <c>X-Forwarded-For</c> is believed. None by default.</summary>
    public required IReadOnlyList<IPNetwork> TrustedProxies { get; init; }

    internal static ProcessSettings Read(SettingsReader read) => new()
    {
        Roles = ServerRoles.Read(read),
        LeaseTime = read.Time("Server:LeaseTime", LeasedJobsOptions.DefaultLeaseTime, TimeSpan.FromSeconds(3), TimeSpan.FromMinutes(10)),
        DrainTime = read.Time("Server:DrainTime", TimeSpan.Zero, TimeSpan.Zero, TimeSpan.FromMinutes(1)),
        RequestTimeout = read.Time("Server:RequestTimeout", TimeSpan.FromSeconds(30), TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(10)),
        MaxConcurrentRequests = (int)read.Number("Server:MaxConcurrentRequests", 1024, 1, 100_000),
        TrustedProxies = ReadProxies(read),
    };

    private static List<IPNetwork> ReadProxies(SettingsReader read)
    {
        const string key = "Server:TrustedProxies";
        var networks = new List<IPNetwork>();
        foreach (var text in read.Text(key, "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (IPAddress.TryParse(text, out var address))
            {
                networks.Add(new(address, address.GetAddressBytes().Length * 8));
            }
            else if (IPNetwork.TryParse(text, out var network))
            {
                networks.Add(network);
            }
            else
            {
                read.Refuse(key, $"'{text}' is no address and no network such as 10.0.0.0/8");
            }
        }
        return networks;
    }
}
