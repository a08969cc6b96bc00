using System.Security.Cryptography;
using Authorization.Access;
using Authorization.Accounts;
using NodaTime;

namespace FhirServer.Demo;

/// <summary>People who can sign in to the demo: one of each kind.</summary>
internal sealed class DemoUsers(AccountDirectory accounts, AccountRegistry registry, Passwords passwords)
{
    private const string Letters = "abcdefghjkmnpqrstuvwxyz23456789"; // none that look alike
    private const int PasswordLength = 16;

    /// <param name="newPasswords">Gives those that are there already another password.</param>
    /// <returns>Names and passwords of the accounts made or given another password; empty where all stands as it was.</returns>
    public async Task<IReadOnlyList<(string UserName, string Password, string What)>> MakeAsync(int seed, bool newPasswords, CancellationToken ct)
    {
        var made = new List<(string, string, string)>();
        foreach (var (user, what) in All(seed))
        {
            var password = RandomNumberGenerator.GetString(Letters, PasswordLength);
            if (await accounts.FindByUserNameAsync(user.UserName, ct) is not { } there)
            {
                var created = await registry.CreateAsync(user with { Password = password }, ct);
                if (created.Failure is { } refused)
                {
                    throw new InvalidOperationException($"The demo user {user.UserName} was refused: {refused.Issues[0].Diagnostics}");
                }
            }
            else if (newPasswords)
            {
                var hash = passwords.Hash(password);
                await accounts.ChangeAsync(there.Id, account => (account.PasswordHash = hash) is not null, ct);
            }
            else
            {
                continue;
            }
            made.Add((user.UserName, password, what));
        }
        return made;
    }

    private static IEnumerable<(NewAccount User, string What)> All(int seed)
    {
        var patient = DemoPatients.All(seed, new LocalDate(2026, 1, 1))[0]; // ids and names do not depend on the day
        var doctor = DemoSites.Practitioners[0];
        yield return (
            new("demo.patient@example.org")
            {
                DisplayName = patient.Display, Email = "demo.patient@example.org", FhirUser = $"Patient/{patient.Id}", Roles = [new(Role.Patient)],
            },
            $"patient, Patient/{patient.Id}");
        yield return (
            new("demo.practitioner")
            {
                DisplayName = $"{doctor.Given} {doctor.Family}", FhirUser = $"Practitioner/{doctor.Id}", Roles = [new(Role.Practitioner, DemoHospital.OrganizationId)],
            },
            $"practitioner, Practitioner/{doctor.Id}");
        yield return (new("demo.receptionist") { DisplayName = "Demo Reception", Roles = [new(Role.Receptionist, DemoHospital.OrganizationId)] }, "receptionist");
        yield return (new("demo.manager") { DisplayName = "Demo Management", Roles = [new(Role.Manager, DemoHospital.OrganizationId)] }, "manager");
        yield return (new("demo.administrator") { DisplayName = "Demo Administrator", Roles = [new(Role.Administrator)] }, "administrator");
    }
}
