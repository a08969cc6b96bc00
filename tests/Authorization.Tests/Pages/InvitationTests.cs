using System.Text;
using Authorization.Access;
using Authorization.Accounts;
using FhirCore.Records;
using Microsoft.Extensions.DependencyInjection;

namespace Authorization.Tests.Pages;

public sealed class InvitationTests : IAsyncLifetime
{
    private readonly Database _database = new();
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync(
        _database,
        ("Auth:Accounts:FirstAdministrator:UserName", "Admin.One"), ("Auth:Accounts:FirstAdministrator:Password", People.Password));

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Invitation_MakesOneAccount_WithItsRole()
    {
        var link = await InviteAsync(("role", "Receptionist"), ("email", "Rita@example.org"));
        Assert.StartsWith("https://clinic.example/auth/invitation?token=", link, StringComparison.Ordinal);
        using var browser = new Browser(_server, "ru");
        await browser.GoAsync(link.Replace(Browser.Origin, "", StringComparison.Ordinal));
        Assert.Equal("rita@example.org", browser.Page.GetElementById("username")!.GetAttribute("value"));
        Assert.Contains("Регистратор", browser.Text, StringComparison.Ordinal);
        var (path, form) = browser.FormOf("invitation");
        form["name"] = "Rita";
        form["password"] = People.Password;
        await browser.PostAsync(path, new(form) { ["password"] = "short" });
        Assert.Equal(422, browser.Status);
        await browser.PostAsync(path, new(form) { ["username"] = "admin.one" });
        Assert.Equal(422, browser.Status);
        await browser.PostAsync(path, form);
        Assert.Equal("/auth/account", browser.Location);

        var rita = (await _server.Services.GetRequiredService<AccountDirectory>().FindByUserNameAsync("rita@example.org", default))!.Value;
        Assert.Equal([new HeldRole(Role.Receptionist)], rita.Roles);
        Assert.Equal(AccountStatus.Active, rita.Status);
        Assert.False(rita.EmailVerified);
        Assert.Equal("ru", rita.Language);

        using var second = new Browser(_server);
        await second.GoAsync(link.Replace(Browser.Origin, "", StringComparison.Ordinal));
        Assert.Equal(410, second.Status);
    }

    [Fact]
    public async Task Invitation_AcceptedByManyAtOnce_LetsOneIn()
    {
        var link = await InviteAsync(("role", "Manager"));
        var token = link[(link.IndexOf('=', StringComparison.Ordinal) + 1)..];
        var invitations = _server.Services.GetRequiredService<Invitations>();
        var all = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => invitations.AcceptAsync(token, $"person-{i}", People.Password, "", "en", default))));

        Assert.Single(all, one => one.Failure is null);
        Assert.All(all.Where(one => one.Failure is not null), one => Assert.Equal("invitation", one.Failure!.Issues[0].Detail));
    }

    [Fact]
    public async Task Invitation_EndsAfterItsTime_AndWhenWithdrawn()
    {
        var link = (await InviteAsync(("role", "Auditor"))).Replace(Browser.Origin, "", StringComparison.Ordinal);
        var other = (await InviteAsync(("role", "Auditor"))).Replace(Browser.Origin, "", StringComparison.Ordinal);
        using var admin = new Browser(_server);
        await admin.SignInAsync("admin.one", People.Password, "/auth/invitations");
        Assert.Equal(2, admin.Page.QuerySelectorAll("input[name=invitation]").Length);
        await admin.SubmitAsync("invitations/withdraw");
        Assert.Single(admin.Page.QuerySelectorAll("input[name=invitation]"));

        using var browser = new Browser(_server);
        var open = new List<string>();
        foreach (var one in new[] { link, other })
        {
            await browser.GoAsync(one);
            if (browser.Status == 200)
            {
                open.Add(one);
            }
        }
        var last = Assert.Single(open);
        _database.Clock.Advance(TimeSpan.FromDays(3));
        await browser.GoAsync(last);
        Assert.Equal(410, browser.Status);
    }

    [Theory]
    [InlineData("role", "Patient")]
    [InlineData("role", "99")]
    [InlineData("organization", "nowhere")]
    [InlineData("practitioner", "nobody")]
    [InlineData("practitioner", "../Patient/x")]
    [InlineData("email", "not an address")]
    public async Task BadInvitation_IsSaidAtTheField(string field, string value)
    {
        using var admin = new Browser(_server);
        await admin.SignInAsync("admin.one", People.Password, "/auth/invitations");
        await admin.SubmitAsync("invitations", ("role", "Manager"), (field, value));

        Assert.Equal(422, admin.Status);
        Assert.Equal("true", admin.Page.GetElementById(field)!.GetAttribute("aria-invalid"));
        Assert.Equal(0, await _database.Store.CountAsync(InvitationIndex.RecordType, Predicate.Everything, 10, default));
    }

    [Fact]
    public async Task OnlyAdministrators_Invite()
    {
        await _server.AddAsync("reception", roles: Role.Receptionist);
        using var browser = new Browser(_server);
        await browser.SignInAsync("reception", People.Password, "/auth/invitations");
        Assert.Equal(403, browser.Status);
        var token = browser.FormOf("sign-out").Values["form_token"];
        await browser.PostAsync("/auth/invitations", new() { ["form_token"] = token, ["role"] = "Administrator" });
        Assert.Equal(403, browser.Status);
        Assert.Equal(0, await _database.Store.CountAsync(InvitationIndex.RecordType, Predicate.Everything, 10, default));
    }

    [Fact]
    public async Task FirstAdministrator_IsMadeOnlyWhereThereIsNone()
    {
        await using var second = await TestServer.StartAsync(
            _database, ("Auth:Accounts:FirstAdministrator:UserName", "admin.two"), ("Auth:Accounts:FirstAdministrator:Password", People.Password));
        var accounts = second.Services.GetRequiredService<AccountDirectory>();

        Assert.NotNull(await accounts.FindByUserNameAsync("admin.one", default));
        Assert.Null(await accounts.FindByUserNameAsync("admin.two", default));
    }

    [Fact]
    public async Task Store_HoldsNothingThatCouldBeRead()
    {
        var link = await InviteAsync(("role", "Receptionist"), ("email", "rita@example.org"));
        var record = Assert.Single((await _database.Store.QueryAsync(new(InvitationIndex.RecordType, Predicate.Everything, RecordOrder.ById, null, 100), default)).Records);
        foreach (var text in new[] { "rita", "Receptionist", link[(link.IndexOf('=', StringComparison.Ordinal) + 1)..] })
        {
            Assert.True(record.Body.Span.IndexOf(Encoding.UTF8.GetBytes(text)) < 0 && record.Index.Block.Span.IndexOf(Encoding.UTF8.GetBytes(text)) < 0);
            Assert.DoesNotContain(text, record.Key.Id, StringComparison.Ordinal);
        }
    }

    private async Task<string> InviteAsync(params (string, string)[] fields)
    {
        using var admin = new Browser(_server);
        await admin.SignInAsync("admin.one", People.Password, "/auth/invitations");
        await admin.SubmitAsync("invitations", fields);
        return admin.Page.GetElementById("invitation-link")!.TextContent.Trim();
    }
}
