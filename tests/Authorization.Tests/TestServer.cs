using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Authorization.Access;
using Authorization.Accounts;
using Authorization.Clients;
using Authorization.Keys;
using Authorization.Launch;
using Authorization.Records;
using Authorization.Server;
using Authorization.Tests.Trail;
using Authorization.Tokens;
using FhirCore.Auditing;
using FhirCore.Records;
using FhirStore;
using FhirStore.Encryption;
using FhirStore.Indexing;
using FhirStore.Search;
using FhirStore.Sealed;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Storage.Contract;

namespace Authorization.Tests;

/// <summary>What outlives a restart: the store, its key file, the clock.</summary>
/// <param name="hasKeys">
/// The server has started before, and finds its key for id tokens: to make one takes longer than most tests. Tests of how keys are made
/// begin without.
/// </param>
public sealed class Database(bool hasKeys = true) : IAsyncDisposable
{
    private static readonly Lazy<byte[]> IdTokenKey = new(static () => SigningKey.Make(KeySeries.IdToken));

    private readonly string _folder = Directory.CreateTempSubdirectory("auth-tests-").FullName;

    private FileKeyVault? _vault;

    public InMemoryRecordStore Store { get; } = new();

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero));

    public RecordingTrail Trail { get; } = new();

    public async Task<StoreKeys> OpenKeysAsync()
    {
        var isNew = _vault is null;
        _vault ??= FileKeyVault.Open(Path.Combine(_folder, "master.key"), mayCreate: true);
        var keys = await StoreKeys.OpenAsync(Store, _vault, Clock, default);
        if (hasKeys && isNew)
        {
            var records = new SealedRecords<StoredKey>(Store, keys.Cipher, Clock, ServerKeys.RecordType, RecordJson.Default.StoredKey, static (_, _) => { });
            Assert.True(await records.TryWriteAsync(
                "id-token-1", new(SigningKey.AlgorithmOf(KeySeries.IdToken), IdTokenKey.Value, Clock.GetUtcNow()), 0, null, default));
        }
        return keys;
    }

    /// <summary>How many records of these types there are.</summary>
    public async Task<long> CountAsync(params string[] types)
    {
        var count = 0L;
        foreach (var type in types)
        {
            count += await Store.CountAsync(type, Predicate.Everything, long.MaxValue, default);
        }
        return count;
    }

    public async ValueTask DisposeAsync()
    {
        _vault?.Dispose();
        await Store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>The authorization server on a real port, and one protected path as the FHIR server has them.</summary>
public sealed class TestServer : IAsyncDisposable
{
    /// <summary>Passwords as they are, with fewer rounds: <c>RulesTests</c> sees that a server has as many as its settings say.</summary>
    private static readonly Passwords QuickPasswords = new(Options.Create(new AccountOptions { PasswordIterations = 1_000 }));

    public const string BaseUrl = "https://clinic.example/fhir";
    public const string ClientId = "ehr";
    public const string Secret = "correct-horse-battery";

    private readonly WebApplication _app;

    private TestServer(WebApplication app)
    {
        _app = app;
        Origin = new Uri(app.Configuration["Server:BaseUrl"]!).GetLeftPart(UriPartial.Authority);
        Http = new() { BaseAddress = new(app.Urls.First()) };
    }

    public HttpClient Http { get; }

    /// <summary>Scheme, host and port that browsers know it by.</summary>
    public string Origin { get; }

    public IServiceProvider Services => _app.Services;

    public TokenAuthenticator Authenticator => Services.GetRequiredService<TokenAuthenticator>();

    public ClientRegistry Clients => Services.GetRequiredService<ClientRegistry>();

    public static Task<TestServer> StartAsync(Database database, params (string Key, string? Value)[] settings) => StartAsync(database, null, settings);

    /// <param name="configure">Adds what the composition root would.</param>
    public static async Task<TestServer> StartAsync(Database database, Action<IServiceCollection>? configure, params (string Key, string? Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(
        [
            new("urls", "http://127.0.0.1:0"),
            new("Server:BaseUrl", BaseUrl),
            new("Auth:Clients:0:ClientId", ClientId),
            new("Auth:Clients:0:ClientSecret", Secret),
            new("Auth:Clients:0:Scope", "system/Patient.rs system/Appointment.cruds"),
        ]);
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => new KeyValuePair<string, string?>(setting.Key, setting.Value)));
        var keys = await database.OpenKeysAsync();
        builder.Services.AddSingleton<TimeProvider>(database.Clock);
        builder.Services.AddSingleton<IRecordStore>(database.Store);
        builder.Services.AddSingleton(keys.Cipher);
        builder.Services.AddSingleton(keys.IndexTokens);
        builder.Services.AddSingleton<IPatientDirectory, FewPatients>();
        builder.Services.AddSingleton<ISecurityTrail>(database.Trail);
        builder.Services.AddSingleton(keys.Protector);
        builder.Services.AddSingleton(new SearchOptions { BaseUrl = BaseUrl });
        builder.Services.AddSingleton<ResourceIndexer>();
        builder.Services.AddSingleton<OperationalFields>();
        builder.Services.AddSingleton<SearchService>();
        builder.Services.AddSingleton<ResourceStore>();
        builder.Services.AddAuthorizationServer(builder.Configuration);
        builder.Services.AddSingleton(QuickPasswords);
        configure?.Invoke(builder.Services);
        var app = builder.Build();
        app.UseAuthorizationServer();
        app.Run(async context =>
        {
            // Set by the authentication middleware: it must not be there for a FHIR request.
            context.Response.Headers["X-OpenIddict-Ran"] = (context.Features.Get<IAuthenticationFeature>() is not null).ToString();
            var outcome = await context.RequestServices.GetRequiredService<TokenAuthenticator>()
                .AuthenticateAsync(context.Request.Headers.Authorization, context.RequestAborted);
            if (outcome.TryGet(out var grant, out var failure))
            {
                await context.Response.WriteAsync(grant.ClientId);
                return;
            }
            context.Response.StatusCode = failure.Status;
            context.Response.Headers.WWWAuthenticate = BearerChallenge.Of(failure);
            await context.Response.WriteAsync(failure.Issues[0].Diagnostics);
        });
        try
        {
            await app.StartAsync();
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
        return new(app);
    }

    /// <summary>Asks for a token with the credentials in the form, or by HTTP Basic.</summary>
    public async Task<TokenAnswer> AskAsync(
        string scope = "system/Patient.rs", string clientId = ClientId, string secret = Secret, bool basic = false, string grantType = "client_credentials")
    {
        var form = new Dictionary<string, string> { ["grant_type"] = grantType, ["scope"] = scope };
        AuthenticationHeaderValue? header = null;
        if (basic)
        {
            header = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{clientId}:{secret}")));
        }
        else
        {
            form["client_id"] = clientId;
            form["client_secret"] = secret;
        }
        return await AskAsync(form, header);
    }

    public async Task<TokenAnswer> AskAsync(Dictionary<string, string> form, AuthenticationHeaderValue? authorization = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/token") { Content = new FormUrlEncodedContent(form) };
        request.Headers.Authorization = authorization;
        var response = await Http.SendAsync(request);
        return new(response, JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement);
    }

    public async Task<string> TokenAsync(string scope = "system/Patient.rs") => (await AskAsync(scope)).AccessToken;

    public async Task<HttpResponseMessage> CallAsync(string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/fhir/Patient/1");
        if (token is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        }
        return await Http.SendAsync(request);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
    }
}

public sealed record TokenAnswer(HttpResponseMessage Response, JsonElement Body)
{
    public int Status => (int)Response.StatusCode;

    public string AccessToken => Body.GetProperty("access_token").GetString()!;

    public string? Scope => Body.GetProperty("scope").GetString();

    public string? Error => Body.TryGetProperty("error", out var error) ? error.GetString() : null;
}

/// <summary>In place of the FHIR server's search: patients see themselves, staff all of them.</summary>
internal sealed class FewPatients : IPatientDirectory
{
    private static readonly PatientSummary[] All =
        [new("anna", "Anna Adler", "1970-01-31", "MRN-1"), new("ben", "Ben Brandt", "1980-02-29", "MRN-2"), new("cleo", "Cleo Cramer", "1990-12-01", "MRN-3")];

    public ValueTask<PatientSummary?> FindAsync(Grant grant, string id, CancellationToken ct) => new(Seen(grant).FirstOrDefault(patient => patient.Id == id));

    public ValueTask<IReadOnlyList<PatientSummary>> SearchAsync(Grant grant, PatientQuery query, int most, CancellationToken ct) => new(
    [
        .. Seen(grant).Where(patient => patient.Name.Contains(query.Name, StringComparison.OrdinalIgnoreCase)
            && (query.Identifier.Length == 0 || patient.Identifier == query.Identifier) && (query.BirthDate.Length == 0 || patient.BirthDate == query.BirthDate)).Take(most),
    ]);

    private static IEnumerable<PatientSummary> Seen(Grant grant) =>
        All.Where(patient => grant.User!.FhirUser is not { Type: "Patient" } self || self.Id == patient.Id);
}
