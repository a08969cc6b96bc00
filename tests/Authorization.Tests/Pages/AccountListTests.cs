using Authorization.Access;
using Authorization.Accounts;
using Microsoft.Extensions.DependencyInjection;

namespace Authorization.Tests.Pages;

public sealed class AccountListTests : IAsyncLifetime
{
    private readonly Database _database = new();
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync(_database);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task ClosedAccount_IsSignedOut_UntilItIsOpenedAgain()
    {
        await _server.AddAsync("admin.one", fhirUser: null, roles: Role.Administrator);
        await _server.AddAsync("reception", fhirUser: null, roles: Role.Receptionist);
        using var staff = new Browser(_server);
        await staff.SignInAsync("reception", People.Password);
        using var admin = new Browser(_server);
        await admin.SignInAsync("admin.one", People.Password, "/auth/accounts");
        Assert.Equal(2, admin.Page.QuerySelectorAll(".list > li").Length);
        Assert.Single(admin.Page.QuerySelectorAll("form[action$='accounts/status']")); // not for oneself
        await admin.SubmitAsync("accounts/status");

        await staff.GoAsync("/auth/account");
        Assert.StartsWith("/auth/sign-in", staff.Location, StringComparison.Ordinal);
        await staff.SignInAsync("reception", People.Password);
        Assert.Equal(422, staff.Status);

        await admin.SubmitAsync("accounts/status");
        await staff.SignInAsync("reception", People.Password);
        Assert.Equal("/auth/account", staff.Location);
    }

    [Fact]
    public async Task Patients_AreFoundByName_NotListed()
    {
        await _server.AddAsync("admin.one", fhirUser: null, roles: Role.Administrator);
        var anna = await _server.AddAsync();
        using var admin = new Browser(_server);
        await admin.SignInAsync("admin.one", People.Password, "/auth/accounts");
        Assert.DoesNotContain(People.Anna, admin.Text, StringComparison.Ordinal);
        await admin.SubmitAsync("accounts", ("username", "nobody"));
        Assert.Equal(422, admin.Status);
        await admin.SubmitAsync("accounts", ("username", "Anna.Adler@example.org"));
        Assert.Contains(People.Anna, admin.Text, StringComparison.Ordinal);
        await admin.SubmitAsync("accounts/status");

        Assert.Equal(AccountStatus.Disabled, (await _server.Services.GetRequiredService<AccountDirectory>().FindAsync(anna, default))!.Value.Status);
    }

    [Fact]
    public async Task Administrators_DoNotCloseThemselves_AndOthersCloseNobody()
    {
        var id = await _server.AddAsync("admin.one", fhirUser: null, roles: Role.Administrator);
        await _server.AddAsync("manager", fhirUser: null, roles: Role.Manager);
        foreach (var name in new[] { "admin.one", "manager" })
        {
            using var browser = new Browser(_server);
            await browser.SignInAsync(name, People.Password);
            await browser.PostAsync("/auth/accounts/status", new() { ["form_token"] = browser.FormOf("sign-out").Values["form_token"], ["account"] = id, ["to"] = "disabled" });
            Assert.Equal(403, browser.Status);
        }
        Assert.Equal(AccountStatus.Active, (await _server.Services.GetRequiredService<AccountDirectory>().FindAsync(id, default))!.Value.Status);
    }
}
