using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Tests.Shared;

namespace Faults.Tests;

/// <summary>Processes behind nginx are started again, one after another, under load: nobody notices.</summary>
[Collection("one at a time")]
public sealed class RollingRestartTests : IAsyncLifetime
{
    private const string ClientId = "faults";
    private const string ClientSecret = "faults-secret-of-the-tests";
    private static readonly TimeSpan BetweenRestarts = TimeSpan.FromSeconds(2);

    private readonly string _folder = Directory.CreateTempSubdirectory("fhir-rolling-").FullName;
    private readonly string _database = MongoServer.NewDatabase();
    private readonly List<Node> _nodes = [];
    private bool _hasDatabase;
    private readonly ConcurrentBag<string> _failures = [];
    private readonly ConcurrentBag<string> _created = [];
    private int _answered;

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }
        if (_hasDatabase)
        {
            await SharedEngine.DropAsync(_database);
        }
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Three API processes and a worker on one database: no request fails, no booking is lost, no slot is booked twice.</summary>
    [Fact]
    public async Task SharedDatabase_EveryProcessRestarted_NoRequestFails_NoBookingIsLostOrDoubled()
    {
        var ct = TestContext.Current.CancellationToken;
        var engine = SharedEngine.SettingsOrSkip(_database);
        _hasDatabase = true;
        await using var nginx = Nginx.NewOrSkip();
        KeyValuePair<string, string>[] settings =
        [
            .. engine,
            .. Common(nginx),
            new("Keys:File:Path", Path.Combine(_folder, "keys", "master.key")),
            new("Auth:Clients:0:ClientId", ClientId),
            new("Auth:Clients:0:ClientSecret", ClientSecret),
            new("Auth:Clients:0:Scope", "system/*.cruds"),
            new("Auth:AccessTokenLifetime", "01:00:00"),
        ];
        for (var i = 1; i <= 3; i++)
        {
            _nodes.Add(new(_folder, $"api-{i}", [.. settings, new("Server:Roles", "api")]));
        }
        _nodes.Add(new(_folder, "worker", [.. settings, new("Server:Roles", "worker")]));
        await Task.WhenAll(_nodes.Select(node => node.StartAsync(ct))); // all at once on an empty database
        await nginx.StartAsync(_nodes.Take(3).Select(node => node.Port), ct);
        using var http = nginx.NewClient();
        await SignInAsync(http, ct);
        await SendAsync(http, HttpMethod.Put, Clinic.Patient, """{"resourceType":"Patient","id":"faults-patient","active":true,"name":[{"family":"Faults"}]}""", ct);
        var slots = await AddSlotsAsync(http, 600, ct);

        var waiting = new ConcurrentQueue<(string Slot, string Start, string End)>(slots.SelectMany(slot => new[] { slot, slot }));
        var booked = new ConcurrentDictionary<string, string>();
        await RollAsync(
            [
                .. Enumerable.Repeat<Func<Task>>(() => ExpectAsync(http, HttpMethod.Get, Clinic.Patient, null, [HttpStatusCode.OK], ct), 2),
                .. Enumerable.Repeat<Func<Task>>(() => ExpectAsync(http, HttpMethod.Get, "Slot?schedule=Schedule/schedule-roll&status=free&_count=20", null, [HttpStatusCode.OK], ct), 2),
                .. Enumerable.Repeat<Func<Task>>(() => CreateAsync(http, ct), 2),
                .. Enumerable.Repeat<Func<Task>>(BookAsync, 4),
            ], ct);

        Assert.True(booked.Count > 100, $"{booked.Count} bookings");
        var appointments = await SearchAsync(http, "Appointment?date=2043-01-01&_count=500", ct);
        var held = appointments.Where(a => (string?)a["status"] == "booked").ToDictionary(a => (string)a["id"]!, a => (string)a["slot"]![0]!["reference"]!);
        Assert.Equal(held.Count, held.Values.Distinct().Count());
        Assert.All(booked, booking => Assert.Equal(booking.Value, held.GetValueOrDefault(booking.Key)));
        var busy = (await SearchAsync(http, "Slot?schedule=Schedule/schedule-roll&status=busy&_count=500", ct)).Select(slot => "Slot/" + (string)slot["id"]!);
        Assert.Equal(held.Values.Order(StringComparer.Ordinal), busy.Order(StringComparer.Ordinal));
        foreach (var key in _created)
        {
            Assert.Equal(HttpStatusCode.OK, (await SendAsync(http, HttpMethod.Get, key, null, ct)).Status);
        }

        async Task BookAsync()
        {
            if (!waiting.TryDequeue(out var slot))
            {
                await ExpectAsync(http, HttpMethod.Get, Clinic.Patient, null, [HttpStatusCode.OK], ct);
                return;
            }
            var (status, body) = await ExpectAsync(
                http, HttpMethod.Post, "Appointment/$book", Clinic.Booking(slot).ToJsonString(), [HttpStatusCode.Created, HttpStatusCode.Conflict], ct);
            if (status == HttpStatusCode.Created)
            {
                Assert.True(booked.TryAdd((string)body!["id"]!, slot.Slot));
            }
        }
    }

    /// <summary>The same without a shared database: two servers that know nothing of each other get what either can answer, POSTs among it.</summary>
    [Fact]
    public async Task TwoServersBehindNginx_EachRestarted_NoRequestFails_NothingAcknowledgedIsLost()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var nginx = Nginx.NewOrSkip();
        for (var i = 1; i <= 2; i++)
        {
            _nodes.Add(new(_folder, $"server-{i}", [.. Common(nginx), new("Auth:AllowAnonymousOnLoopback", "true")]));
        }
        await Task.WhenAll(_nodes.Select(node => node.StartAsync(ct)));
        foreach (var node in _nodes)
        {
            using var direct = new HttpClient { BaseAddress = node.Base };
            await SendAsync(direct, HttpMethod.Put, Clinic.Patient, """{"resourceType":"Patient","id":"faults-patient","active":true}""", ct);
        }
        await nginx.StartAsync(_nodes.Select(node => node.Port), ct);
        using var http = nginx.NewClient();
        Func<Task>[] load =
        [
            .. Enumerable.Repeat<Func<Task>>(() => ExpectAsync(http, HttpMethod.Get, Clinic.Patient, null, [HttpStatusCode.OK], ct), 4),
            .. Enumerable.Repeat<Func<Task>>(() => ExpectAsync(http, HttpMethod.Get, "metadata", null, [HttpStatusCode.OK], ct), 1),
            .. Enumerable.Repeat<Func<Task>>(() => ExpectAsync(http, HttpMethod.Get, "Patient?active=true&_count=1", null, [HttpStatusCode.OK], ct), 2),
            .. Enumerable.Repeat<Func<Task>>(() => CreateAsync(http, ct), 6),
        ];
        await RollAsync(load, ct);

        var kept = new HashSet<string>(StringComparer.Ordinal);
        foreach (var node in _nodes)
        {
            using var direct = new HttpClient { BaseAddress = node.Base };
            kept.UnionWith((await SearchAsync(direct, "Patient?_count=1000", ct)).Select(patient => "Patient/" + (string)patient["id"]!));
        }
        Assert.True(_created.Count > 100, $"{_created.Count} creates");
        Assert.Empty(_created.Except(kept));
    }

    /// <summary>What nginx adds: TLS, a limit, no metrics outside, and a log that names nobody.</summary>
    [Fact]
    public async Task Nginx_KeepsInsideWhatBelongsInside()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var nginx = Nginx.NewOrSkip();
        _nodes.Add(new(_folder, "one", [.. Common(nginx), new("Auth:AllowAnonymousOnLoopback", "true")]));
        await _nodes[0].StartAsync(ct);
        await nginx.StartAsync([_nodes[0].Port], ct);
        using var http = nginx.NewClient();
        foreach (var path in new[] { "/metrics", "/health/ready", "/health/live", "/elsewhere" })
        {
            using var answer = await http.GetAsync(new Uri(nginx.Base, path), ct);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.Contains("OperationOutcome", await answer.Content.ReadAsStringAsync(ct), StringComparison.Ordinal);
        }
        using (var made = await http.PostAsync("Patient", new StringContent("""{"resourceType":"Patient","name":[{"family":"Quennebaert"}]}""", Encoding.UTF8, "application/fhir+json"), ct))
        {
            Assert.Equal(HttpStatusCode.Created, made.StatusCode);
            Assert.StartsWith(nginx.Base.AbsoluteUri, made.Headers.Location!.AbsoluteUri, StringComparison.Ordinal);
            Assert.Single(made.Headers.GetValues("X-Content-Type-Options"));
            Assert.Single(made.Headers.GetValues("Strict-Transport-Security"));
        }
        Assert.Single(await SearchAsync(http, "Patient?family=Quennebaert", ct));
        using (var large = await http.PostAsync("Patient", new ByteArrayContent(new byte[33 << 20]), ct))
        {
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
            Assert.Contains("too-long", await large.Content.ReadAsStringAsync(ct), StringComparison.Ordinal);
        }
        Assert.Contains(" GET 200 ", nginx.AccessLog, StringComparison.Ordinal);
        Assert.DoesNotContain("Patient", nginx.AccessLog, StringComparison.Ordinal);
        Assert.DoesNotContain("Quennebaert", nginx.AccessLog, StringComparison.Ordinal);
    }

    private static KeyValuePair<string, string>[] Common(Nginx nginx) =>
    [
        new("Server:BaseUrl", nginx.Base.AbsoluteUri.TrimEnd('/')),
        new("Server:DrainTime", "00:00:05"),
        new("Server:LeaseTime", "00:00:05"),
        new("Server:TrustedProxies", "127.0.0.1"),
    ];

    /// <summary>Keeps the load up while every process is started again in turn.</summary>
    private async Task RollAsync(IEnumerable<Func<Task>> load, CancellationToken ct)
    {
        using var enough = new CancellationTokenSource();
        var workers = load.Select(act => Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
            {
                await act();
            }
        }, ct)).ToArray();
        await Task.Delay(BetweenRestarts, ct);
        foreach (var node in _nodes)
        {
            var before = Volatile.Read(ref _answered);
            await node.RestartAsync(ct);
            await Task.Delay(BetweenRestarts, ct);
            Assert.True(Volatile.Read(ref _answered) > before + 50, "There was hardly any load.");
        }
        await enough.CancelAsync();
        await Task.WhenAll(workers);
        TestContext.Current.TestOutputHelper?.WriteLine($"{_answered} requests answered, {_failures.Count} failed, {_created.Count} created");
        Assert.True(_failures.IsEmpty, $"{_failures.Count} of {_answered} requests failed:\n{string.Join('\n', _failures.Take(10))}");
    }

    private async Task CreateAsync(HttpClient http, CancellationToken ct)
    {
        var (status, body) = await ExpectAsync(http, HttpMethod.Post, "Patient", """{"resourceType":"Patient","active":true}""", [HttpStatusCode.Created], ct);
        if (status == HttpStatusCode.Created)
        {
            _created.Add($"Patient/{body!["id"]}");
        }
    }

    private async Task<(HttpStatusCode Status, JsonNode? Body)> ExpectAsync(
        HttpClient http, HttpMethod method, string path, string? body, HttpStatusCode[] expected, CancellationToken ct)
    {
        try
        {
            var answer = await SendAsync(http, method, path, body, ct);
            Interlocked.Increment(ref _answered);
            if (!expected.Contains(answer.Status))
            {
                _failures.Add($"{method} {path}: {answer.Status} {answer.Body}");
            }
            return answer;
        }
        catch (Exception error) when (error is HttpRequestException or IOException or TaskCanceledException)
        {
            _failures.Add($"{method} {path}: {error.Message}");
            return default;
        }
    }

    private static async Task<(HttpStatusCode Status, JsonNode? Body)> SendAsync(HttpClient http, HttpMethod method, string path, string? body, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/fhir+json");
        }
        using var response = await http.SendAsync(request, ct);
        var text = await response.Content.ReadAsStringAsync(ct);
        return (response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    private static async Task SignInAsync(HttpClient http, CancellationToken ct)
    {
        var (_, discovery) = await SendAsync(http, HttpMethod.Get, ".well-known/smart-configuration", null, ct);
        using var request = new HttpRequestMessage(HttpMethod.Post, (string)discovery!["token_endpoint"]!)
        {
            Content = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("scope", "system/*.cruds")]),
        };
        request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{ClientId}:{ClientSecret}")));
        using var response = await http.SendAsync(request, ct);
        var answer = await response.Content.ReadAsStringAsync(ct);
        Assert.True(response.StatusCode == HttpStatusCode.OK, answer);
        http.DefaultRequestHeaders.Authorization = new("Bearer", (string)JsonNode.Parse(answer)!["access_token"]!);
    }

    private static async Task<List<(string Slot, string Start, string End)>> AddSlotsAsync(HttpClient http, int count, CancellationToken ct)
    {
        var (slots, bundle) = Clinic.Day("roll", new DateOnly(2043, 1, 1), count);
        var (status, body) = await SendAsync(http, HttpMethod.Post, "", bundle.ToJsonString(), ct);
        Assert.True(status == HttpStatusCode.OK, $"{status} {body}");
        return slots;
    }

    private static async Task<List<JsonNode>> SearchAsync(HttpClient http, string query, CancellationToken ct)
    {
        var found = new List<JsonNode>();
        for (var next = query; next is not null;)
        {
            var (status, bundle) = await SendAsync(http, HttpMethod.Get, new Uri(http.BaseAddress!, next).PathAndQuery, null, ct);
            Assert.True(status == HttpStatusCode.OK, $"{status} {bundle}");
            found.AddRange((bundle!["entry"]?.AsArray() ?? []).Where(e => (string?)e!["search"]?["mode"] == "match").Select(e => e!["resource"]!));
            next = (string?)bundle["link"]?.AsArray().FirstOrDefault(link => (string?)link!["relation"] == "next")?["url"];
        }
        return found;
    }
}
