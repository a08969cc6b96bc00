using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Authorization.Accounts;
using Authorization.Stores;
using Authorization.Tests.Clients;
using Authorization.Tests.Pages;
using FhirCore.Records;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.Tokens;

namespace Authorization.Tests.Outside;

/// <summary>A provider that misbehaves, or is made to, gets nobody in: neither an account nor a session comes of it.</summary>
public sealed class OutsideSignInTests : IAsyncLifetime
{
    private readonly Database _database = new();
    private StandInProvider _provider = null!;
    private TestServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _provider = await StandInProvider.StartAsync(_database.Clock);
        _server = await TestServer.StartAsync(_database, _provider.Settings());
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _provider.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task RightAnswer_BeginsASession_AndTheSameOneIsTheSameAccount()
    {
        using var first = new Browser(_server);
        await first.GoAsync(_provider.SignIn(await BeginAsync(first)));
        using var second = new Browser(_server, "ru");
        await second.GoAsync(_provider.SignIn(await BeginAsync(second)));

        Assert.Equal("/auth/account", first.Location);
        Assert.Contains("An administrator has yet to confirm who you are here", first.Text, StringComparison.Ordinal);
        Assert.Equal("/auth/account", second.Location);
        Assert.Equal(1, await AccountsAsync());
        Assert.Equal(["SignIn fed", "SignIn fed"], _database.Trail.Told);
        Assert.Equal(1, _provider.Discoveries);
    }

    [Fact]
    public async Task Return_LeadsToWhereTheSignInWasFor()
    {
        using var browser = new Browser(_server);
        await browser.GoAsync("/auth/account/sessions");
        await browser.SubmitAsync("outside/hospital");
        await browser.GoAsync(_provider.SignIn(browser.Location));

        Assert.Equal("/auth/account/sessions", browser.Location);
    }

    public static readonly TheoryData<string> Faults = new(
        "another issuer", "another audience", "two audiences", "another azp", "another nonce", "no nonce", "no sub", "empty sub", "endless sub", "expired", "no exp", "no iat", "issued later", "not yet valid",
        "alg none", "secret as key", "public key as secret", "another key", "unknown key", "no kid", "another type", "critical header", "cut off", "no token at all", "no json", "wrong at_hash", "refused by the token endpoint");

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task IdTokenThatIsWrong_GetsNobodyIn(string fault)
    {
        using var other = new Signer("RS256");
        switch (fault)
        {
            case "another issuer": Claim("iss", "https://evil.example"); break;
            case "another audience": Claim("aud", "somebody-else"); break;
            case "two audiences": Claim("aud", new JsonArray(StandInProvider.ClientId, "somebody-else")); break;
            case "another azp": Claim("azp", "somebody-else"); break;
            case "another nonce": Claim("nonce", "made-up"); break;
            case "no nonce": Claim("nonce", null); break;
            case "no sub": Claim("sub", null); break;
            case "empty sub": Claim("sub", ""); break;
            case "endless sub": Claim("sub", new string('u', 256)); break;
            case "expired": Claim("exp", Seconds(-61)); break;
            case "no exp": Claim("exp", null); break;
            case "no iat": Claim("iat", null); break;
            case "issued later": Claim("iat", Seconds(120)); break;
            case "not yet valid": Claim("nbf", Seconds(120)); break;
            case "alg none": _provider.Sign = (header, claims) => $"{Signer.Encode(With(header, "alg", "none"))}.{Signer.Encode(claims)}."; break;
            case "secret as key": _provider.Sign = (header, claims) => Hmac(With(header, "alg", "HS256"), claims, Encoding.UTF8.GetBytes(StandInProvider.Secret)); break;
            case "public key as secret": _provider.Sign = (header, claims) => Hmac(With(header, "alg", "HS256"), claims, Base64UrlEncoder.DecodeBytes((string)_provider.Key.PublicKey()["n"]!)); break;
            case "another key": _provider.Sign = other.Sign; break;
            case "unknown key": _provider.Change = (header, _) => header["kid"] = "nobody's"; break;
            case "no kid": _provider.Change = (header, _) => header.Remove("kid"); break;
            case "another type": _provider.Change = (header, _) => header["typ"] = "at+jwt"; break;
            case "critical header": _provider.Change = (header, _) => header["crit"] = new JsonArray("exp"); break;
            case "cut off": _provider.Sign = (header, claims) => _provider.Key.Sign(header, claims)[..^4]; break;
            case "no token at all": _provider.ChangeAnswer = answer => answer.Remove("id_token"); break;
            case "no json": _provider.ChangeAnswer = answer => answer["id_token"] = "not a token"; break;
            case "wrong at_hash": Claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"); break;
            case "refused by the token endpoint": _provider.TokenStatus = 400; break;
            default: throw new ArgumentOutOfRangeException(nameof(fault), fault, null);
        }
        using var browser = new Browser(_server);
        var back = _provider.SignIn(await BeginAsync(browser));

        await RefusedAsync(browser, back);

        // What was used up stays so, also when the provider has come to its senses.
        (_provider.Change, _provider.Sign, _provider.ChangeAnswer, _provider.TokenStatus) = (null, null, null, 200);
        await RefusedAsync(browser, back);
    }

    public static readonly TheoryData<string> Detours = new("no state", "another state", "two states", "another issuer", "no issuer", "no code", "another browser", "another provider", "begun by nobody", "an hour later");

    [Theory]
    [MemberData(nameof(Detours))]
    public async Task ReturnThatIsNotTheOneAskedFor_GetsNobodyIn(string detour)
    {
        using var browser = new Browser(_server);
        using var other = new Browser(_server);
        var address = await BeginAsync(browser);
        var back = _provider.SignIn(address, query => detour switch
        {
            "no state" => query.Replace("&state=", "&stat=", StringComparison.Ordinal),
            "another state" => query.Replace("&state=", "&state=x", StringComparison.Ordinal),
            "two states" => query + query[query.IndexOf("&state=", StringComparison.Ordinal)..],
            "another issuer" => query[..query.IndexOf("&iss=", StringComparison.Ordinal)] + "&iss=https%3A%2F%2Fevil.example",
            "no issuer" => query[..query.IndexOf("&iss=", StringComparison.Ordinal)],
            "no code" => query.Replace("?code=", "?c=", StringComparison.Ordinal),
            _ => query,
        });
        switch (detour)
        {
            case "another browser":
                await BeginAsync(other); // with a flow of its own
                await RefusedAsync(other, back);
                break;
            case "another provider":
                await RefusedAsync(browser, back.Replace("/hospital/", "/elsewhere/", StringComparison.Ordinal));
                break;
            case "begun by nobody":
                await RefusedAsync(other, back);
                break;
            case "an hour later":
                _database.Clock.Advance(TimeSpan.FromHours(1));
                await RefusedAsync(browser, back);
                break;
            default:
                await RefusedAsync(browser, back);
                break;
        }
        Assert.Equal(0, _provider.Redemptions);
    }

    /// <summary>A code that was stolen from somebody else's return is worth nothing in one's own: its challenge is another's.</summary>
    [Fact]
    public async Task CodeOfSomebodyElse_GetsNobodyIn()
    {
        using var victim = new Browser(_server);
        using var thief = new Browser(_server);
        var stolen = _provider.SignIn(await BeginAsync(victim));
        var own = _provider.SignIn(await BeginAsync(thief));
        var code = stolen[stolen.IndexOf("code=", StringComparison.Ordinal)..stolen.IndexOf("&state", StringComparison.Ordinal)];

        await RefusedAsync(thief, own[..(own.IndexOf('?', StringComparison.Ordinal) + 1)] + code + own[own.IndexOf("&state", StringComparison.Ordinal)..]);
    }

    [Fact]
    public async Task Return_UsedTwice_OrByManyAtOnce_LetsOneIn()
    {
        using var browser = new Browser(_server);
        var back = _provider.SignIn(await BeginAsync(browser));
        var cookies = browser.Cookies.ToArray();
        var browsers = Enumerable.Range(0, 6).Select(_ => new Browser(_server)).ToArray();
        foreach (var (one, cookie) in browsers.SelectMany(one => cookies.Select(cookie => (one, cookie))))
        {
            one.Cookies[cookie.Key] = cookie.Value;
        }
        await Task.WhenAll(browsers.Select(one => one.GoAsync(back)));

        Assert.Single(browsers, one => one.Cookies.ContainsKey("__Host-session"));
        Assert.Equal(1, _provider.Redemptions);
        await RefusedAsync(browser, back, accounts: 1);
        foreach (var one in browsers)
        {
            one.Dispose();
        }
    }

    [Fact]
    public async Task PersonWhoDeclines_IsToldSo_AndNothingIsDone()
    {
        using var browser = new Browser(_server);
        var back = _provider.SignIn(await BeginAsync(browser), query => "?error=access_denied" + query[query.IndexOf("&state", StringComparison.Ordinal)..]);

        await browser.GoAsync(back);

        Assert.Equal((403, "You were not signed in"), (browser.Status, browser.Title));
        Assert.Equal(0, await AccountsAsync());
        Assert.Equal("SignIn outside-declined refused", _database.Trail.Told[^1]);
    }

    public static readonly TheoryData<string> Documents = new("away", "another issuer", "no token endpoint", "private token endpoint", "plain token endpoint", "private keys", "script as page");

    [Theory]
    [MemberData(nameof(Documents))]
    public async Task ProviderThatCannotBeTrusted_IsNotGoneTo(string what)
    {
        switch (what)
        {
            case "away": _provider.DocumentStatus = 500; break;
            case "another issuer": _provider.ChangeDocument = document => document["issuer"] = "https://evil.example"; break;
            case "no token endpoint": _provider.ChangeDocument = document => document.Remove("token_endpoint"); break;
            case "private token endpoint": _provider.ChangeDocument = document => document["token_endpoint"] = "https://169.254.169.254/token"; break;
            case "plain token endpoint": _provider.ChangeDocument = document => document["token_endpoint"] = "http://idp.example/token"; break;
            case "private keys": _provider.ChangeDocument = document => document["jwks_uri"] = "https://[::1]/keys"; break;
            case "script as page": _provider.ChangeDocument = document => document["authorization_endpoint"] = "javascript:alert(1)"; break;
            default: throw new ArgumentOutOfRangeException(nameof(what), what, null);
        }
        using var browser = new Browser(_server);
        await browser.GoAsync("/auth/sign-in");
        await browser.SubmitAsync("outside/hospital");

        Assert.Equal((503, "This sign-in cannot be used right now"), (browser.Status, browser.Title));
        await browser.GoAsync("/auth/sign-in");
        await browser.SubmitAsync("outside/hospital");
        Assert.Equal(1, _provider.Discoveries); // nobody makes us hammer it

        (_provider.DocumentStatus, _provider.ChangeDocument) = (200, null);
        _database.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.StartsWith(_provider.Issuer, await BeginAsync(browser), StringComparison.Ordinal);
    }

    /// <summary>A name says nothing about where it leads: the address is looked at when the connection is made.</summary>
    [Fact]
    public async Task NameThatLeadsIntoOurOwnNetwork_IsNotConnectedTo()
    {
        _provider.ChangeDocument = document => document["token_endpoint"] = $"https://{Dns.GetHostName()}:{new Uri(_provider.Issuer).Port}/token";
        using var browser = new Browser(_server);
        var back = _provider.SignIn(await BeginAsync(browser));

        await RefusedAsync(browser, back);

        Assert.Equal(0, _provider.Redemptions);
    }

    [Fact]
    public async Task AppThatWantsAFreshSignIn_GetsOneThere()
    {
        using var browser = new Browser(_server);
        await browser.GoAsync($"/auth/sign-in?return={Uri.EscapeDataString("/auth/authorize?max_age=60&x=1")}");
        await browser.SubmitAsync("outside/hospital");
        _provider.User["auth_time"] = Seconds(-3_600);
        var stale = _provider.SignIn(browser.Location);
        Assert.Equal("60", _provider.Asked["max_age"]);
        await RefusedAsync(browser, stale);

        await browser.GoAsync($"/auth/sign-in?return={Uri.EscapeDataString("/auth/authorize?max_age=60&x=1")}");
        await browser.SubmitAsync("outside/hospital");
        _provider.User["auth_time"] = Seconds(0);
        await browser.GoAsync(_provider.SignIn(browser.Location));
        Assert.StartsWith("/auth/authorize", browser.Location, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ManyRefusals_MakeTheAddressWait()
    {
        using var browser = new Browser(_server);
        for (var i = 0; i < 10; i++)
        {
            await browser.GoAsync("/auth/outside/hospital/return?state=x&code=y");
            Assert.Equal(403, browser.Status);
        }
        await browser.GoAsync("/auth/outside/hospital/return?state=x&code=y");
        Assert.Equal(429, browser.Status);
    }

    [Fact]
    public async Task Store_HoldsNothingThatCouldBeRead()
    {
        (_provider.User["sub"], _provider.User["email"], _provider.User["name"]) = ("subject-of-doris", "doris.dent@example.org", "Doris Dent");
        using var browser = new Browser(_server);
        await browser.GoAsync(_provider.SignIn(await BeginAsync(browser)));
        var session = browser.Cookies["__Host-session"];
        await BeginAsync(browser);

        foreach (var type in new[] { AccountIndex.RecordType, SessionIndex.RecordType, FlowIndex.RecordType })
        {
            var records = (await _database.Store.QueryAsync(new(type, Predicate.Everything, RecordOrder.ById, null, 100), default)).Records;
            Assert.NotEmpty(records);
            foreach (var text in new[] { "subject-of-doris", "doris", "Dent", session, _provider.Issuer })
            {
                Assert.All(records, record => Assert.True(
                    record.Body.Span.IndexOf(Encoding.UTF8.GetBytes(text)) < 0 && record.Index.Block.Span.IndexOf(Encoding.UTF8.GetBytes(text)) < 0, $"{record.Key}: {text}"));
            }
        }
    }

    private static JsonObject With(JsonObject header, string name, string value)
    {
        header[name] = value;
        return header;
    }

    private static string Hmac(JsonObject header, JsonObject claims, byte[] key)
    {
        var text = $"{Signer.Encode(header)}.{Signer.Encode(claims)}";
        return $"{text}.{Base64UrlEncoder.Encode(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(text)))}";
    }

    private void Claim(string name, JsonNode? value) => _provider.Change = (_, claims) =>
    {
        claims.Remove(name);
        if (value is not null)
        {
            claims[name] = value.DeepClone();
        }
    };

    private long Seconds(int fromNow) => _database.Clock.GetUtcNow().AddSeconds(fromNow).ToUnixTimeSeconds();

    private static async Task<string> BeginAsync(Browser browser)
    {
        await browser.GoAsync("/auth/sign-in");
        Assert.Contains(browser.Page.QuerySelectorAll("button"), button => button.TextContent.Contains("Lakeside Hospital", StringComparison.Ordinal));
        await browser.SubmitAsync("outside/hospital");
        return browser.Location;
    }

    private async Task RefusedAsync(Browser browser, string back, long accounts = 0)
    {
        browser.Cookies.Remove("__Host-session");
        await browser.GoAsync(back);
        Assert.Equal((403, "That sign-in did not work"), (browser.Status, browser.Title));
        Assert.DoesNotContain("__Host-session", browser.Cookies.Keys);
        Assert.Equal(accounts, await AccountsAsync());
        Assert.Equal(accounts, await _database.Store.CountAsync(SessionIndex.RecordType, Predicate.Everything, 10, default));
        Assert.StartsWith("SignIn outside-", _database.Trail.Told[^1], StringComparison.Ordinal);
        Assert.EndsWith(" refused", _database.Trail.Told[^1], StringComparison.Ordinal);
    }

    private async Task<long> AccountsAsync() => await _database.Store.CountAsync(AccountIndex.RecordType, Predicate.Everything, 10, default);
}
