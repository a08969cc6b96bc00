using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Authorization.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using OpenIddict.Core;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Authorization.Tests.Stores;

/// <summary>OpenIddict's managers over our stores, as the later flows will use them.</summary>
public sealed class OpenIddictStoresTests : IAsyncLifetime
{
    private readonly Database _database = new();
    private TestServer _server = null!;
    private AsyncServiceScope _scope;

    private OpenIddictApplicationManager<OAuthApplication> Applications => _scope.ServiceProvider.GetRequiredService<OpenIddictApplicationManager<OAuthApplication>>();

    private OpenIddictAuthorizationManager<OAuthAuthorization> Authorizations => _scope.ServiceProvider.GetRequiredService<OpenIddictAuthorizationManager<OAuthAuthorization>>();

    private OpenIddictScopeManager<OAuthScope> Scopes => _scope.ServiceProvider.GetRequiredService<OpenIddictScopeManager<OAuthScope>>();

    private OpenIddictTokenManager<OAuthToken> Tokens => _scope.ServiceProvider.GetRequiredService<OpenIddictTokenManager<OAuthToken>>();

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync(_database);
        _scope = _server.Services.CreateAsyncScope();
    }

    public async ValueTask DisposeAsync()
    {
        await _scope.DisposeAsync();
        await _server.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Application_ComesBackAsItWasCreated()
    {
        var descriptor = AnApplication("app");
        descriptor.DisplayNames[CultureInfo.InvariantCulture] = "Приложение"; // the process knows no other culture
        descriptor.Properties["limit"] = JsonSerializer.SerializeToElement(7);
        descriptor.Settings["theme"] = "dark";
        descriptor.Requirements.Add(Requirements.Features.ProofKeyForCodeExchange);
        descriptor.PostLogoutRedirectUris.Add(new("https://app.example/bye"));
        descriptor.JsonWebKeySet = JsonWebKeySet.Create("""{"keys":[{"kty":"oct","k":"AAAA","kid":"one"}]}""");
        await Applications.CreateAsync(descriptor);

        var found = await Applications.FindByClientIdAsync("app");
        var read = new OpenIddictApplicationDescriptor();
        await Applications.PopulateAsync(read, found!);
        Assert.Equal((descriptor.ClientId, descriptor.DisplayName, descriptor.ClientType), (read.ClientId, read.DisplayName, read.ClientType));
        Assert.Equal("Приложение", read.DisplayNames[CultureInfo.InvariantCulture]);
        Assert.Equal(7, read.Properties["limit"].GetInt32());
        Assert.Equal("dark", read.Settings["theme"]);
        Assert.Equal(descriptor.Permissions, read.Permissions);
        Assert.Equal(descriptor.Requirements, read.Requirements);
        Assert.Equal(descriptor.RedirectUris, read.RedirectUris);
        Assert.Equal("one", Assert.Single(read.JsonWebKeySet!.Keys).KeyId);
        Assert.NotEqual(descriptor.ClientSecret, read.ClientSecret);
        Assert.True(await Applications.ValidateClientSecretAsync(found!, "sixteen-characters"));
        Assert.False(await Applications.ValidateClientSecretAsync(found!, "sixteen-characterz"));
    }

    [Fact]
    public async Task Application_IsFoundByItsAddresses_UntilTheyChange()
    {
        var created = await Applications.CreateAsync(AnApplication("app"));
        Assert.Equal("app", (await Applications.FindByIdAsync(created.Id))?.ClientId);
        Assert.Single(await ToListAsync(Applications.FindByRedirectUriAsync("https://app.example/callback")));

        created.RedirectUris = ["https://app.example/other"];
        await Applications.UpdateAsync(created);
        Assert.Empty(await ToListAsync(Applications.FindByRedirectUriAsync("https://app.example/callback")));
        Assert.Single(await ToListAsync(Applications.FindByRedirectUriAsync("https://app.example/other")));

        await Applications.DeleteAsync(created);
        Assert.Null(await Applications.FindByIdAsync(created.Id));
        Assert.Null(await Applications.FindByClientIdAsync("app"));
    }

    [Fact]
    public async Task Application_StaleCopies_CannotBeWritten()
    {
        var mine = await Applications.CreateAsync(AnApplication("app"));
        var theirs = (await Applications.FindByIdAsync(mine.Id))!;
        theirs.DisplayName = "theirs";
        await Applications.UpdateAsync(theirs);
        mine.DisplayName = "mine";

        await Assert.ThrowsAsync<OpenIddictExceptions.ConcurrencyException>(async () => await Applications.UpdateAsync(mine));
        await Assert.ThrowsAsync<OpenIddictExceptions.ConcurrencyException>(async () => await Applications.DeleteAsync(mine));
        Assert.Equal("theirs", (await Applications.FindByIdAsync(mine.Id))!.DisplayName);
        await Applications.DeleteAsync(theirs);
    }

    [Fact]
    public async Task Application_ManyCreateOneClientId_OneWins()
    {
        var store = _server.Services.GetRequiredService<IOpenIddictApplicationStore<OAuthApplication>>();
        var made = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(async () =>
        {
            try
            {
                await store.CreateAsync(new() { Id = $"app-{i}", ClientId = "same" }, default);
                return true;
            }
            catch (OpenIddictExceptions.ConcurrencyException)
            {
                return false;
            }
        })));

        Assert.Single(made, won => won);
    }

    [Fact]
    public async Task Applications_AreListedInPages()
    {
        for (var i = 0; i < 5; i++)
        {
            await Applications.CreateAsync(AnApplication($"app-{i}"));
        }

        Assert.Equal(6, await Applications.CountAsync()); // and the one of the settings
        var pages = new[] { await ToListAsync(Applications.ListAsync(4, 0)), await ToListAsync(Applications.ListAsync(4, 4)) };
        Assert.Equal([4, 2], pages.Select(page => page.Count));
        Assert.Equal(6, pages.SelectMany(page => page).Select(app => app.ClientId).Distinct().Count());
    }

    [Fact]
    public async Task Scope_IsFoundByNameAndResource()
    {
        await Scopes.CreateAsync(new OpenIddictScopeDescriptor { Name = "launch", Description = "d", Resources = { "https://clinic.example/fhir" } });
        await Scopes.CreateAsync(new OpenIddictScopeDescriptor { Name = "fhirUser" });

        Assert.Equal("d", (await Scopes.FindByNameAsync("launch"))!.Description);
        Assert.Null(await Scopes.FindByNameAsync("Launch"));
        Assert.Equal(2, (await ToListAsync(Scopes.FindByNamesAsync(["launch", "fhirUser", "none"]))).Count);
        Assert.Equal("launch", Assert.Single(await ToListAsync(Scopes.FindByResourceAsync("https://clinic.example/fhir"))).Name);
    }

    [Fact]
    public async Task Authorization_IsFoundByEveryPart_AndRevoked()
    {
        await AuthorizeAsync("anna", "app-1", AuthorizationTypes.Permanent, "a", "b");
        await AuthorizeAsync("anna", "app-2", AuthorizationTypes.AdHoc, "a");
        await AuthorizeAsync("boris", "app-1", AuthorizationTypes.Permanent, "b");

        Assert.Equal(2, (await ToListAsync(Authorizations.FindBySubjectAsync("anna"))).Count);
        Assert.Equal(2, (await ToListAsync(Authorizations.FindByApplicationIdAsync("app-1"))).Count);
        Assert.Single(await ToListAsync(Authorizations.FindAsync("anna", "app-1", Statuses.Valid, AuthorizationTypes.Permanent, ["a", "b"])));
        Assert.Empty(await ToListAsync(Authorizations.FindAsync("anna", "app-1", Statuses.Valid, AuthorizationTypes.Permanent, ["a", "c"])));
        Assert.Equal(2, await Authorizations.RevokeBySubjectAsync("anna"));
        Assert.Empty(await ToListAsync(Authorizations.FindAsync("anna", null, Statuses.Valid, null, null)));
        Assert.Single(await ToListAsync(Authorizations.FindAsync(null, null, Statuses.Valid, null, null)));
    }

    [Fact]
    public async Task Token_IsFoundByEveryPart_RedeemedAndRevoked()
    {
        var authorization = await AuthorizeAsync("anna", "app-1", AuthorizationTypes.Permanent);
        var token = await TokenAsync("anna", "app-1", authorization.Id, TimeSpan.FromMinutes(5));
        await TokenAsync("boris", "app-1", null, TimeSpan.FromMinutes(5));

        Assert.Equal(token.Id, (await Tokens.FindByReferenceIdAsync("reference-anna"))?.Id);
        Assert.Null(await Tokens.FindByReferenceIdAsync("reference-nobody"));
        Assert.Equal(2, (await ToListAsync(Tokens.FindByApplicationIdAsync("app-1"))).Count);
        Assert.Equal(token.Id, Assert.Single(await ToListAsync(Tokens.FindByAuthorizationIdAsync(authorization.Id))).Id);
        Assert.Single(await ToListAsync(Tokens.FindAsync("anna", "app-1", Statuses.Valid, TokenTypeHints.RefreshToken)));
        Assert.Empty(await ToListAsync(Tokens.FindAsync("anna", "app-1", Statuses.Valid, TokenTypeHints.AccessToken)));

        Assert.True(await Tokens.TryRedeemAsync(token));
        var stale = await Tokens.FindByIdAsync(token.Id);
        Assert.Equal((Statuses.Redeemed, _database.Clock.GetUtcNow()), (stale!.Status, stale.RedemptionDate));
        Assert.Equal(1, await Tokens.RevokeByAuthorizationIdAsync(authorization.Id));
        Assert.False(await Tokens.TryRedeemAsync(stale)); // it was revoked after this copy was read
    }

    [Fact]
    public async Task Pruning_RemovesWhatIsOfNoUse_AndNothingElse()
    {
        var permanent = await AuthorizeAsync("anna", "app-1", AuthorizationTypes.Permanent);
        var used = await AuthorizeAsync("anna", "app-1", AuthorizationTypes.AdHoc);
        await AuthorizeAsync("anna", "app-1", AuthorizationTypes.AdHoc);
        var revoked = await AuthorizeAsync("anna", "app-1", AuthorizationTypes.Permanent);
        await Authorizations.TryRevokeAsync(revoked);
        var kept = await TokenAsync("anna", "app-1", used.Id, TimeSpan.FromHours(1));
        await TokenAsync("boris", "app-1", null, TimeSpan.FromMinutes(1));
        var rejected = await TokenAsync("clara", "app-1", null, TimeSpan.FromHours(1));
        await Tokens.TryRejectAsync(rejected);
        _database.Clock.Advance(TimeSpan.FromMinutes(2));
        var late = await TokenAsync("dora", "app-1", null, TimeSpan.FromHours(1));
        await Tokens.TryRejectAsync(late); // useless, but made after the threshold

        Assert.Equal(2, await Tokens.PruneAsync(_database.Clock.GetUtcNow() - TimeSpan.FromMinutes(1)));
        Assert.Equal(2, await Authorizations.PruneAsync(_database.Clock.GetUtcNow()));
        Assert.Equal(new[] { kept.Id, late.Id }.Order(), (await ToListAsync(Tokens.ListAsync())).Select(token => token.Id).Order());
        Assert.Equal(new[] { permanent.Id, used.Id }.Order(), (await ToListAsync(Authorizations.ListAsync())).Select(found => found.Id).Order());
    }

    private static OpenIddictApplicationDescriptor AnApplication(string clientId) => new()
    {
        ClientId = clientId,
        ClientSecret = "sixteen-characters",
        ClientType = ClientTypes.Confidential,
        DisplayName = "An app",
        Permissions = { Permissions.Endpoints.Token, Permissions.GrantTypes.ClientCredentials },
        RedirectUris = { new("https://app.example/callback") },
    };

    private ValueTask<OAuthAuthorization> AuthorizeAsync(string subject, string application, string type, params string[] scopes)
    {
        var descriptor = new OpenIddictAuthorizationDescriptor
        {
            ApplicationId = application,
            CreationDate = _database.Clock.GetUtcNow(),
            Status = Statuses.Valid,
            Subject = subject,
            Type = type,
        };
        descriptor.Scopes.UnionWith(scopes);
        return Authorizations.CreateAsync(descriptor);
    }

    private ValueTask<OAuthToken> TokenAsync(string subject, string application, string? authorization, TimeSpan lifetime) =>
        Tokens.CreateAsync(new OpenIddictTokenDescriptor
        {
            ApplicationId = application,
            AuthorizationId = authorization,
            CreationDate = _database.Clock.GetUtcNow(),
            ExpirationDate = _database.Clock.GetUtcNow() + lifetime,
            ReferenceId = $"reference-{subject}",
            Status = Statuses.Valid,
            Subject = subject,
            Type = TokenTypeHints.RefreshToken,
        });

    private static async Task<List<T>> ToListAsync<T>(IAsyncEnumerable<T> source)
    {
        var list = new List<T>();
        await foreach (var item in source)
        {
            list.Add(item);
        }
        return list;
    }
}
