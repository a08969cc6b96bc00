using Authorization.Access;
using Authorization.Consents;
using Authorization.Scopes;
using Authorization.Tests.Pages;
using CsCheck;

namespace Authorization.Tests.Launch;

public sealed class ConsentTests : IAsyncLifetime
{
    private readonly Database _database = new();
    private TestServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync(_database);
        await _server.AddAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Page_SaysInPlainWordsWhatIsAskedFor_InBothLanguages()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        foreach (var (language, words) in new[]
        {
            ("en", new[] { "Let Good App use your access?", "Anna Adler", "Diagnoses and health problems", "read them", "Vital signs", "30 days", "https://app.example" }),
            ("ru", ["Разрешить доступ приложению Good App?", "Anna Adler", "Диагнозы и проблемы со здоровьем", "читать", "Основные показатели состояния", "30 дн.", "https://app.example"]),
        })
        {
            using var browser = new Browser(_server, language);
            await browser.SignInAsync(People.Anna, People.Password);
            await browser.GoAsync(app.Authorize("openid fhirUser offline_access patient/Condition.rs patient/Observation.cruds", ("ui_locales", language)));

            Assert.All(words, word => Assert.Contains(word, browser.Page.DocumentElement.TextContent, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task User_MayWithholdNarrowAndTakeParts()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password);
        await browser.GoAsync(app.Authorize("openid fhirUser offline_access patient/Condition.rs patient/Observation.cruds patient/Patient.read"));
        var (path, form) = browser.FormOf("authorize");
        form["decision"] = "allow";
        foreach (var withheld in new[] { "offline_access", "s0", "s1.c", "s1.u", "s1.d" })
        {
            Assert.True(form.Remove(withheld), withheld);
        }
        form["s0.part0"] = "on";
        await browser.PostAsync(path, form);

        var answer = await app.RedeemAsync(app.Returned(browser).Code!);

        Assert.Equal(
            new HashSet<string>
            {
                "openid", "fhirUser", "patient/Observation.rs", "patient/Patient.read",
                "patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis",
            },
            answer.Scope!.Split(' ').ToHashSet());
        Assert.False(answer.Body.TryGetProperty("refresh_token", out _));
        Assert.Equal(4 - 1, (await _server.Authenticator.AuthenticateAsync($"Bearer {answer.AccessToken}", default)).Value.Scopes.Length);
    }

    [Fact]
    public async Task Refusal_GoesBackToTheApp_AndIsNotRemembered()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password);
        await browser.GoAsync(app.Authorize("patient/*.rs"));
        await browser.SubmitAsync("authorize", ("decision", "deny"));
        Assert.Equal("access_denied", app.Returned(browser).Error);

        await browser.GoAsync(app.Authorize("patient/*.rs"));
        var (path, form) = browser.FormOf("authorize");
        form["decision"] = "allow";
        form.Remove("s0");
        await browser.PostAsync(path, form);
        Assert.Equal("access_denied", app.Returned(browser).Error);
    }

    [Fact]
    public async Task Consent_IsRemembered_UntilMoreIsWantedOrTheAppAsksForIt()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        await app.CodeAsync(browser, "openid patient/Condition.rs patient/Patient.read");

        await browser.GoAsync(app.Authorize("openid patient/Patient.read"));
        Assert.NotNull(app.Returned(browser).Code);
        await browser.GoAsync(app.Authorize("openid patient/Patient.read", ("prompt", "none")));
        Assert.NotNull(app.Returned(browser).Code);
        await browser.GoAsync(app.Authorize("openid patient/Patient.read", ("prompt", "consent")));
        Assert.StartsWith("/auth/authorize", browser.Location, StringComparison.Ordinal);
        await browser.GoAsync(app.Authorize("openid patient/Observation.rs"));
        Assert.StartsWith("/auth/authorize", browser.Location, StringComparison.Ordinal);
        await browser.GoAsync(app.Authorize("openid patient/Observation.rs", ("prompt", "none")));
        Assert.Equal("consent_required", app.Returned(browser).Error);
    }

    [Fact]
    public async Task AppOfAnOwnScheme_IsAskedForEachTime()
    {
        var app = await new SmartApp(_server, redirect: "com.example.app:/callback").RegisterAsync();
        using var browser = new Browser(_server);
        await app.CodeAsync(browser, "patient/*.rs");

        await browser.GoAsync(app.Authorize("patient/*.rs"));

        Assert.StartsWith("/auth/authorize", browser.Location, StringComparison.Ordinal);
    }

    [Fact]
    public async Task YourApps_ShowsThem_AndTakesAllBack()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        var answer = await app.LaunchAsync(browser, "offline_access patient/Condition.rs");
        await browser.GoAsync("/auth/apps");
        Assert.Contains("Good App", browser.Text, StringComparison.Ordinal);
        Assert.Contains("Diagnoses and health problems: read them, search them", browser.Text, StringComparison.Ordinal);

        await browser.SubmitAsync("apps");

        Assert.DoesNotContain("Good App", browser.Text, StringComparison.Ordinal);
        Assert.NotNull((await _server.Authenticator.AuthenticateAsync($"Bearer {answer.AccessToken}", default)).Failure);
        Assert.Equal("invalid_grant", (await app.RefreshAsync(answer)).Error);
        await browser.GoAsync(app.Authorize("offline_access patient/Condition.rs"));
        Assert.StartsWith("/auth/authorize", browser.Location, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EndSession_AsksTheUser_AndGoesWhereTheAppIsRegisteredToGo()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        var answer = await app.LaunchAsync(browser, "openid patient/*.rs");
        var hint = answer.Body.GetProperty("id_token").GetString()!;

        await browser.GoAsync($"/auth/end-session?id_token_hint={hint}&post_logout_redirect_uri={Uri.EscapeDataString("https://evil.example/bye")}");
        Assert.Equal(400, browser.Status);
        await browser.GoAsync($"/auth/end-session?id_token_hint={hint}&state=s&post_logout_redirect_uri={Uri.EscapeDataString("https://app.example/bye")}");
        Assert.Equal("Sign out?", browser.Title);
        await browser.SubmitAsync("end-session");

        Assert.StartsWith("https://app.example/bye", browser.Location, StringComparison.Ordinal);
        Assert.Contains("state=s", browser.Location, StringComparison.Ordinal);
        await browser.GoAsync("/auth/account");
        Assert.StartsWith("/auth/sign-in", browser.Location, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StaffMember_ChoosesAPatient()
    {
        await _server.AddAsync("dora", "Practitioner/dora", roles: Role.Practitioner);
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        await browser.SignInAsync("dora", People.Password);

        await browser.GoAsync(app.Authorize("openid fhirUser launch/patient patient/*.rs"));
        Assert.Equal("Choose a patient", browser.Title);
        await browser.SubmitAsync("authorize", ("find-name", "nobody"), ("decision", "find"));
        Assert.Contains("No patient was found", browser.Text, StringComparison.Ordinal);
        await browser.SubmitAsync("authorize", ("find-name", "ben"), ("decision", "find"));
        Assert.Contains("Ben Brandt, 1980-02-29, MRN-2", browser.Text, StringComparison.Ordinal);
        await browser.SubmitAsync("authorize", ("find-name", ""), ("patient", "ben"));
        Assert.Contains("Ben Brandt", browser.Text, StringComparison.Ordinal);
        await browser.SubmitAsync("authorize", ("decision", "allow"));
        var answer = await app.RedeemAsync(app.Returned(browser).Code!);

        Assert.Equal("ben", answer.Body.GetProperty("patient").GetString());
        await browser.GoAsync(app.Authorize("launch/patient patient/*.rs", ("prompt", "none")));
        Assert.Equal("interaction_required", app.Returned(browser).Error);
    }

    [Fact]
    public async Task PatientOfSomeoneElse_CannotBeChosen()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password);
        await browser.GoAsync(app.Authorize("patient/*.rs"));
        await browser.SubmitAsync("authorize", ("decision", "allow"), ("patient", "ben"));

        Assert.Equal("anna", (await app.RedeemAsync(app.Returned(browser).Code!)).Body.GetProperty("patient").GetString());
        await _server.AddAsync("dora", "Practitioner/dora", roles: Role.Practitioner);
        using var staff = new Browser(_server);
        await staff.SignInAsync("dora", People.Password);
        await staff.GoAsync(app.Authorize("patient/*.rs"));
        await staff.SubmitAsync("authorize", ("patient", "unknown"));
        Assert.Equal("access_denied", app.Returned(staff).Error);
    }

    private static readonly Gen<SmartScope> AnyScope = Gen.Select(
        Gen.Int[0, 1].Select(i => (ScopeLevel)i), Gen.Int[0, 3].Select(i => new[] { "Condition", "Observation", "Patient", "*" }[i]), Gen.Int[1, 31],
        (level, type, letters) => new SmartScope(level, type, (Permissions)letters));

    [Fact] // a set of ticks of any kind, also ones that no page has
    public void Choose_WhateverIsTicked_GivesNoMoreThanWasOffered() => Gen.Select(AnyScope.Array[0, 4], Gen.Byte.Array[40]).Sample((scopes, ticks) =>
    {
        var offer = new ConsentOffer([.. scopes], [SignInScopes.OpenId, SignInScopes.FhirUser, SignInScopes.LaunchPatient, SignInScopes.OfflineAccess]);
        bool IsTicked(string name) => (ticks[(uint)name.Sum(letter => letter * 7) % ticks.Length] & 1) != 0;

        var chosen = ConsentChoice.Choose(offer, IsTicked);

        return chosen.SignIn.All(offer.SignIn.Contains)
            && (chosen.SignIn.Contains(SignInScopes.OpenId) || !chosen.SignIn.Contains(SignInScopes.FhirUser))
            && chosen.Resources.All(got => offer.Resources.Any(asked =>
                asked.Level == got.Level && asked.Type == got.Type && (got.Permissions & ~asked.Permissions) == 0 && got.Permissions != 0))
            && ConsentChoice.Choose(offer, _ => false).Resources.IsEmpty
            && ConsentChoice.Choose(offer, name => !name.Contains("part", StringComparison.Ordinal)).Texts.SequenceEqual(offer.Texts);
    }, iter: 2_000);
}
