using FhirCore;
using Subscriptions.Reminders.Records;

namespace Subscriptions.Reminders.Devices;

/// <summary>Which apps push messages to a patient go to. Tokens are sealed under the patient's key, and are gone with it.</summary>
public sealed class DeviceRegistry(ReminderRecords records, TimeProvider clock)
{
    /// <summary>A person has that many; the one that has said nothing for longest goes.</summary>
    public const int MostDevices = 10;

    private const int LongestToken = 4096;

    /// <returns>Why not; null once it is registered. The same again only says that it is still there.</returns>
    public async Task<FhirFailure?> RegisterAsync(string patient, string? token, CancellationToken ct)
    {
        if (token is not { Length: > 0 and <= LongestToken } || token.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            return FhirFailure.Of(FailureKind.Invalid, $"token is the app's registration token: 1 to {LongestToken} printable ASCII characters without spaces.", "Parameters.parameter", "value");
        }
        var id = records.DeviceId(token);
        bool isWritten;
        do
        {
            // Whose it was before does not matter: the app tells who uses it now.
            var known = await records.Store.GetAsync(new(ReminderRecords.DeviceType, id), ct);
            isWritten = await records.Devices.TryWriteAsync(id, new(patient, token, clock.GetUtcNow()), known?.Version ?? 0, null, ct);
        }
        while (!isWritten);
        var all = await records.Devices.QueryAsync(records.OfPatient(patient), ct).ToListAsync(ct);
        foreach (var old in all.OrderByDescending(device => device.Value.At).Skip(MostDevices))
        {
            await records.Devices.TryRemoveAsync(old.Id, old.Version, ct);
        }
        return null;
    }

    /// <summary>Only who knows the token, and the patient it is of, removes it.</summary>
    public async Task RemoveAsync(string patient, string token, CancellationToken ct)
    {
        if (await records.Devices.FindAsync(records.DeviceId(token), ct) is { } device && device.Value.Patient == patient)
        {
            await records.Devices.TryRemoveAsync(device.Id, device.Version, ct);
        }
    }
}
