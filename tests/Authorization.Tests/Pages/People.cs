using Authorization.Access;
using Authorization.Accounts;
using Microsoft.Extensions.DependencyInjection;

namespace Authorization.Tests.Pages;

/// <summary>Accounts that tests sign in with.</summary>
internal static class People
{
    public const string Password = "three blue umbrellas";
    public const string Anna = "anna.adler@example.org";

    public static async Task<string> AddAsync(
        this TestServer server, string userName = Anna, string? fhirUser = "Patient/anna", AccountStatus status = AccountStatus.Active, params Role[] roles)
    {
        var created = await server.Services.GetRequiredService<AccountRegistry>().CreateAsync(
            new(userName)
            {
                Password = Password,
                DisplayName = "Anna Adler",
                Email = userName.Contains('@', StringComparison.Ordinal) ? userName : null,
                FhirUser = fhirUser,
                Status = status,
                Roles = roles.Length == 0 ? [new(Role.Patient)] : [.. roles.Select(role => new HeldRole(role))],
            },
            default);
        return created.Value;
    }
}
