using System.Text;
using Authorization.Access;
using Authorization.Accounts;
using FhirCore.Records;
using FhirStore;
using FhirStore.Json;
using FhirStore.Writing;
using Microsoft.Extensions.DependencyInjection;

namespace Authorization.Tests.Pages;

public sealed class RegistrationTests : IAsyncLifetime
{
    private const string Password = "three blue umbrellas";
    private readonly Database _database = new();
    private readonly RecordingSender _mail = new();
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() =>
        _server = await TestServer.StartAsync(_database, services => services.AddSingleton<ICodeSender>(_mail));

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Register_ByCode_ThenLinkedAtOnceWhereAllFits()
    {
        await PatientAsync("anna");
        using var browser = await RegisterAsync();
        await browser.SubmitAsync("code", ("code", await _mail.NextCodeAsync()));
        Assert.Equal("/auth/account/link", browser.Location);
        Assert.Equal(AccountStatus.Pending, (await AccountAsync()).Status);

        await StateAsync(browser, family: "ÁDLER ");

        Assert.Equal("Your medical record is connected", browser.Title);
        var account = await AccountAsync();
        Assert.Equal("Patient/anna", account.FhirUser);
        Assert.Equal(AccountStatus.Active, account.Status);
        Assert.True(account.EmailVerified);
        Assert.Equal([new HeldRole(Role.Patient)], account.Roles);

        using var later = new Browser(_server);
        await later.SignInAsync(People.Anna, Password);
        Assert.Equal("/auth/account", later.Location);
    }

    [Fact]
    public async Task WhereNotAllFits_NothingIsToldAndStaffDecide()
    {
        await PatientAsync("anna", email: "someone.else@example.org");
        using var browser = await RegisterAsync();
        await browser.SubmitAsync("code", ("code", await _mail.NextCodeAsync()));
        var pages = new List<string>();
        foreach (var (identifier, family, born) in new[] { ("A-1", "Adler", "1985-04-23"), ("A-1", "Adler", "1985-04-24"), ("A-1", "Bauer", "1985-04-23"), ("Z-9", "Adler", "1985-04-23") })
        {
            await StateAsync(browser, identifier, family, born);
            pages.Add(browser.Text);
        }
        Assert.Single(pages.Distinct());
        Assert.Null((await AccountAsync()).FhirUser);

        await StateAsync(browser);
        await StateAsync(browser);
        Assert.Equal(422, browser.Status); // the sixth statement

        await _server.AddAsync("reception", fhirUser: null, roles: Role.Receptionist);
        await _server.AddAsync("auditor", fhirUser: null, roles: Role.Auditor);
        using var auditor = new Browser(_server);
        await auditor.SignInAsync("auditor", People.Password, "/auth/links");
        Assert.Equal(403, auditor.Status);
        using var staff = new Browser(_server, "ru");
        await staff.SignInAsync("reception", People.Password, "/auth/links");
        Assert.Contains("Patient/anna", staff.Text, StringComparison.Ordinal);
        var (_, form) = staff.FormOf("links");

        await staff.PostAsync("/auth/links", new(form) { ["patient"] = "another" });
        Assert.Equal(409, staff.Status); // only a Patient with the stated number
        await staff.PostAsync("/auth/links", form);
        Assert.Equal(200, staff.Status);
        Assert.DoesNotContain("Patient/anna", staff.Text, StringComparison.Ordinal);
        Assert.Equal("Patient/anna", (await AccountAsync()).FhirUser);
        await staff.PostAsync("/auth/links", form);
        Assert.Equal(409, staff.Status);
    }

    [Fact]
    public async Task SecondAccountOfAPatient_OrTwoPatients_IsForStaff()
    {
        await PatientAsync("anna");
        await _server.AddAsync("the.first.one@example.org", "Patient/anna");
        using var browser = await RegisterAsync();
        await browser.SubmitAsync("code", ("code", await _mail.NextCodeAsync()));
        await StateAsync(browser);
        Assert.Null((await AccountAsync()).FhirUser);

        await PatientAsync("double", identifier: "B-1");
        await PatientAsync("double-2", identifier: "B-1");
        await StateAsync(browser, "B-1");
        Assert.Null((await AccountAsync()).FhirUser);
    }

    [Fact]
    public async Task InactivePatient_IsNobody()
    {
        await PatientAsync("anna", more: "\"active\":false,");
        using var browser = await RegisterAsync();
        await browser.SubmitAsync("code", ("code", await _mail.NextCodeAsync()));
        await StateAsync(browser);

        Assert.Null((await AccountAsync()).FhirUser);
    }

    [Fact]
    public async Task FiveWrongCodes_AreTheEndOfTheCode()
    {
        using var browser = await RegisterAsync();
        var code = await _mail.NextCodeAsync();
        var wrong = code == "111111" ? "222222" : "111111";
        for (var i = 0; i < 5; i++)
        {
            await browser.SubmitAsync("code", ("code", wrong));
            Assert.Equal(422, browser.Status);
        }
        await browser.SubmitAsync("code", ("code", code));
        Assert.Equal(422, browser.Status);
        Assert.Null(await FindAsync());

        await browser.SubmitAsync("code/again");
        Assert.Equal(422, browser.Status); // too early
        _database.Clock.Advance(TimeSpan.FromMinutes(1));
        await browser.SubmitAsync("code/again");
        Assert.Equal(200, browser.Status);
        await browser.SubmitAsync("code", ("code", await _mail.NextCodeAsync()));
        Assert.NotNull(await FindAsync());
    }

    [Fact]
    public async Task Code_IsGoodForTenMinutes_AndOnce()
    {
        using var browser = await RegisterAsync();
        var code = await _mail.NextCodeAsync();
        _database.Clock.Advance(TimeSpan.FromMinutes(10));
        await browser.SubmitAsync("code", ("code", code));
        Assert.Equal(422, browser.Status);

        using var other = await RegisterAsync();
        code = await _mail.NextCodeAsync();
        await other.GoAsync("/auth/code");
        var (path, form) = other.FormOf("code");
        form["code"] = code;
        await other.PostAsync(path, form);
        Assert.Equal("/auth/account/link", other.Location);
        await other.PostAsync(path, form);
        Assert.NotEqual(200, other.Status);
    }

    [Fact]
    public async Task CodeOfAnotherBrowser_IsWorthNothing()
    {
        using var browser = await RegisterAsync();
        var code = await _mail.NextCodeAsync();
        using var other = await RegisterAsync("berta@example.org");
        if (await _mail.NextCodeAsync() != code)
        {
            await other.SubmitAsync("code", ("code", code));
            Assert.Equal(422, other.Status);
        }
    }

    [Fact]
    public async Task AddressWithAnAccount_LooksTheSame_AndItsOwnerIsTold()
    {
        await _server.AddAsync();
        using var taken = await RegisterAsync();
        using var free = await RegisterAsync("berta@example.org");

        Assert.Equal(free.Text.Replace("berta@example.org", "", StringComparison.Ordinal), taken.Text.Replace(People.Anna, "", StringComparison.Ordinal));
        var message = await _mail.NextAsync();
        Assert.Equal(People.Anna, message.To);
        Assert.DoesNotMatch(RecordingSender.Digits(), message.Text);
        for (var code = 0; code < 5; code++)
        {
            await taken.SubmitAsync("code", ("code", $"00000{code}"));
            Assert.Equal(422, taken.Status);
        }
    }

    [Fact]
    public async Task OneAddress_IsNotFlooded()
    {
        for (var i = 0; i < 9; i++)
        {
            using var browser = await RegisterAsync();
            Assert.Equal(200, browser.Status);
        }
        await Task.Delay(200);
        Assert.Equal(5, _mail.Count);
    }

    [Theory]
    [InlineData("not an address", Password, "contact")]
    [InlineData("+49 151 12345678", Password, "contact")] // there is no SMS
    [InlineData(People.Anna, "short", "password")]
    [InlineData(People.Anna, "anna.adler2024", "password")]
    public async Task BadRegistration_IsSaidAtTheField(string contact, string password, string field)
    {
        using var browser = await RegisterAsync(contact, password);

        Assert.Equal(422, browser.Status);
        Assert.Equal("true", browser.Page.GetElementById(field)!.GetAttribute("aria-invalid"));
        Assert.Equal(contact, browser.Page.GetElementById("contact")!.GetAttribute("value"));
        Assert.Null(browser.Page.GetElementById("password")!.GetAttribute("value"));
        Assert.Equal(0, _mail.Count);
    }

    [Fact]
    public async Task WithoutAChannel_RegistrationIsRefused()
    {
        await using var database = new Database();
        await using var server = await TestServer.StartAsync(database);
        using var browser = new Browser(server);
        await browser.GoAsync("/auth/sign-in");
        Assert.Empty(browser.Page.QuerySelectorAll("a[href$=register]"));
        await browser.GoAsync("/auth/register");
        Assert.Equal(403, browser.Status);
        Assert.Equal("Registration is closed", browser.Title);
        await browser.GoAsync("/auth/reset");
        Assert.Equal(403, browser.Status);
    }

    [Fact]
    public async Task ForgottenPassword_IsResetByCode_AndEndsEverySession()
    {
        await _server.AddAsync();
        using var thief = new Browser(_server);
        await thief.SignInAsync(People.Anna, People.Password);

        using var browser = new Browser(_server);
        await browser.GoAsync("/auth/reset");
        await browser.SubmitAsync("reset", ("username", People.Anna));
        await browser.GoAsync("/auth/reset/password");
        Assert.Equal(410, browser.Status); // not without the code
        await browser.GoAsync("/auth/code");
        await browser.SubmitAsync("code", ("code", await _mail.NextCodeAsync()));
        Assert.Equal("/auth/reset/password", browser.Location);
        await browser.SubmitAsync("reset/password", ("password", "password1234"));
        Assert.Equal(422, browser.Status);
        await browser.SubmitAsync("reset/password", ("password", "seven green bicycles"));
        Assert.Equal("Your password is changed", browser.Title);

        await thief.GoAsync("/auth/account");
        Assert.StartsWith("/auth/sign-in", thief.Location, StringComparison.Ordinal);
        await browser.SignInAsync(People.Anna, People.Password);
        Assert.Equal(422, browser.Status);
        await browser.SignInAsync(People.Anna, "seven green bicycles");
        Assert.Equal("/auth/account", browser.Location);
    }

    [Fact]
    public async Task ResetOfAnUnknownName_LooksTheSame()
    {
        await _server.AddAsync();
        var pages = new List<string>();
        foreach (var name in new[] { People.Anna, "nobody@example.org" })
        {
            using var browser = new Browser(_server);
            await browser.GoAsync("/auth/reset");
            await browser.SubmitAsync("reset", ("username", name));
            pages.Add(browser.Text);
        }
        Assert.Single(pages.Distinct());
        await _mail.NextAsync();
        await Task.Delay(100);
        Assert.Equal(1, _mail.Count);
    }

    [Fact]
    public async Task Store_HoldsNothingThatCouldBeRead_AndTheSweepRemovesWhatIsOver()
    {
        using var browser = await RegisterAsync();
        var code = await _mail.NextCodeAsync();
        using var other = await RegisterAsync("berta@example.org");
        await _mail.NextCodeAsync();
        await other.GoAsync("/auth/code");
        await browser.SubmitAsync("code", ("code", code));
        await StateAsync(browser);
        foreach (var type in new[] { FlowIndex.RecordType, StoredLinkRequest.RecordType, FailedSignInIndex.RecordType, AccountIndex.RecordType })
        {
            var records = (await _database.Store.QueryAsync(new(type, Predicate.Everything, RecordOrder.ById, null, 100), default)).Records;
            Assert.NotEmpty(records);
            foreach (var text in new[] { "anna", "berta", "Adler", "1985", "A-1", Password, code, other.Cookies["__Host-flow"] })
            {
                Assert.All(records, record => Assert.True(
                    record.Body.Span.IndexOf(Encoding.UTF8.GetBytes(text)) < 0 && record.Index.Block.Span.IndexOf(Encoding.UTF8.GetBytes(text)) < 0, $"{record.Key}: {text}"));
            }
        }

        var sweep = _server.Services.GetRequiredService<AccountSweep>();
        await sweep.RunOnceAsync(default);
        Assert.Equal(1, await _database.Store.CountAsync(FlowIndex.RecordType, Predicate.Everything, 10, default));
        Assert.Equal(1, await _database.Store.CountAsync(SessionIndex.RecordType, Predicate.Everything, 10, default));
        _database.Clock.Advance(TimeSpan.FromDays(1) + TimeSpan.FromMinutes(1));
        await sweep.RunOnceAsync(default);
        foreach (var type in new[] { FlowIndex.RecordType, SessionIndex.RecordType, FailedSignInIndex.RecordType })
        {
            Assert.Equal(0, await _database.Store.CountAsync(type, Predicate.Everything, 10, default));
        }
    }

    private async Task<Browser> RegisterAsync(string contact = People.Anna, string password = Password)
    {
        var browser = new Browser(_server);
        await browser.GoAsync("/auth/register");
        return await browser.SubmitAsync("register", ("contact", contact), ("password", password));
    }

    private static async Task StateAsync(Browser browser, string identifier = "A-1", string family = "Adler", string born = "1985-04-23")
    {
        await browser.GoAsync("/auth/account/link");
        await browser.SubmitAsync("account/link", ("identifier", identifier), ("family-name", family), ("bday", born));
    }

    private async Task PatientAsync(string id, string identifier = "A-1", string email = "Anna.Adler@example.org", string more = "")
    {
        var json = $$"""
            {"resourceType":"Patient","id":"{{id}}",{{more}}"identifier":[{"system":"urn:mrn","value":"{{identifier}}"}],"name":[{"family":"Adler","given":["Anna"]}],
             "birthDate":"1985-04-23","telecom":[{"system":"email","value":"{{email}}"}]}
            """;
        var parsed = ResourceParser.Parse(Encoding.UTF8.GetBytes(json), "Patient").Value;
        var written = await _server.Services.GetRequiredService<ResourceStore>().WriteAsync([new WriteRequest.Update(new("Patient", id), parsed, IfMatch: null)], default);
        Assert.Null(written.Failure);
    }

    private async Task<Account?> FindAsync() => (await _server.Services.GetRequiredService<AccountDirectory>().FindByUserNameAsync(People.Anna, default))?.Value;

    private async Task<Account> AccountAsync() => (await FindAsync())!;
}
