using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Tests.Shared;

namespace Conformance.Tests.Subscriptions;

/// <summary>What a subscriber was sent.</summary>
public sealed record Received(string Method, string Path, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public JsonNode? Json => Body.Length == 0 ? null : JsonNode.Parse(Body);

    /// <summary>The stand-in has answered that it has it.</summary>
    public bool IsTaken { get; init; }
}

/// <summary>How the stand-in answers.</summary>
/// <param name="Hang">It reads the request and never answers.</param>
/// <param name="After">So long it thinks.</param>
public sealed record Reply(int Status, bool Hang = false, TimeSpan After = default, params (string Name, string Value)[] Headers);

/// <summary>A web server that stands in for all subscribers of a test run; each test has a path of its own.</summary>
public sealed class SubscriberHost : IDisposable
{
    private static readonly Lazy<SubscriberHost> Shared = new(() => new());
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly HttpListener _listener = new();
    private readonly ConcurrentDictionary<string, Mailbox> _boxes = new(StringComparer.Ordinal);

    private SubscriberHost()
    {
        _listener.Prefixes.Add($"http://{Authority}/");
        _listener.Prefixes.Add($"http://localhost:{new Uri($"http://{Authority}").Port}/");
        _listener.Start();
        _ = ServeAsync();
    }

    /// <summary>One for the run: the server's settings name it.</summary>
    public static SubscriberHost Instance => Shared.Value;

    public string Authority { get; } = $"127.0.0.1:{FreePort.Draw()}";

    /// <summary>Lets a server of these tests reach the stand-in, and makes it lose patience soon.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Settings =>
    [
        new("Subscriptions:AllowedPrivateEndpoints:0", Instance.Authority),
        new("Subscriptions:FirstRetry", "00:00:00.100"), new("Subscriptions:LongestRetry", "00:00:00.400"), new("Subscriptions:RetryFor", "00:00:10"),
        new("Subscriptions:LeastHeartbeat", "00:00:01"),
    ];

    /// <summary>A subscriber that takes everything, until told otherwise.</summary>
    public Mailbox Open()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("FHIR_BASE") is { Length: > 0 }, "The server at FHIR_BASE cannot reach the stand-in for subscribers.");
        var name = Guid.NewGuid().ToString("N");
        return _boxes[name] = new($"http://{Authority}/{name}");
    }

    public void Dispose() => _listener.Close();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                _ = AnswerAsync(await _listener.GetContextAsync());
            }
        }
        catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        try
        {
            using var reader = new StreamReader(context.Request.InputStream, Encoding.UTF8);
            var body = await reader.ReadToEndAsync();
            var path = context.Request.Url!.AbsolutePath;
            var name = path.Split('/')[1];
            if (!_boxes.TryGetValue(name, out var box))
            {
                context.Response.StatusCode = 404;
                context.Response.Close();
                return;
            }
            var headers = context.Request.Headers.AllKeys.OfType<string>().ToDictionary(key => key, key => context.Request.Headers[key]!, StringComparer.OrdinalIgnoreCase);
            var reply = box.Take(new(context.Request.HttpMethod, path, headers, body));
            await Task.Delay(reply.Hang ? Limit : reply.After);
            context.Response.StatusCode = reply.Status;
            foreach (var (header, value) in reply.Headers)
            {
                context.Response.Headers[header] = value;
            }
            context.Response.Close();
        }
        catch (Exception error) when (error is HttpListenerException or ObjectDisposedException or InvalidOperationException)
        {
            // The server has gone.
        }
    }
}

/// <summary>One subscriber's endpoint, and what came there.</summary>
public sealed class Mailbox(string address)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly Lock _lock = new();
    private readonly List<Received> _received = [];
    private TaskCompletionSource _next = New();
    private Func<Received, int, Reply> _answer = static (_, _) => new(200);

    public string Address => address;

    public IReadOnlyList<Received> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _received];
            }
        }
    }

    /// <summary>All notifications of a type that were taken, oldest first.</summary>
    public IReadOnlyList<JsonNode> Of(string type) => [.. All.Where(one => one.IsTaken).Select(one => one.Json).OfType<JsonNode>().Where(bundle => Notice.TypeOf(bundle) == type)];

    public IReadOnlyList<JsonNode> Events => Of("event-notification");

    /// <param name="answer">Given the request, and how many came before it.</param>
    public void Answer(Func<Received, int, Reply> answer)
    {
        lock (_lock)
        {
            _answer = answer;
        }
    }

    /// <summary>Waits until what came is as the test wants it; fails with what did come.</summary>
    public async Task<T> WhenAsync<T>(Func<IReadOnlyList<Received>, T?> wanted)
        where T : class
    {
        using var limit = new CancellationTokenSource(Limit);
        while (true)
        {
            Task next;
            lock (_lock)
            {
                if (wanted(_received) is { } found)
                {
                    return found;
                }
                next = _next.Task;
            }
            try
            {
                await next.WaitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"Not what was waited for came within {Limit}:\n{string.Join('\n', All.Select(one => $"{one.Method} {one.Path} {one.Body}"))}");
            }
        }
    }

    /// <summary>The first notification of a type that was taken, behind so many others of it.</summary>
    public Task<JsonNode> NextAsync(string type, int after = 0) => WhenAsync(received =>
        received.Where(one => one.IsTaken).Select(one => one.Json).OfType<JsonNode>().Where(bundle => Notice.TypeOf(bundle) == type).ElementAtOrDefault(after));

    /// <summary>Waits until the event of that number was taken.</summary>
    public Task<IReadOnlyList<JsonNode>> EventsUpToAsync(long number) => WhenAsync(received =>
    {
        var events = received.Where(one => one.IsTaken).Select(one => one.Json).OfType<JsonNode>().Where(bundle => Notice.TypeOf(bundle) == "event-notification").ToArray();
        return events.SelectMany(Notice.NumbersOf).Contains(number) ? (IReadOnlyList<JsonNode>)events : null;
    });

    internal Reply Take(Received received)
    {
        lock (_lock)
        {
            var reply = _answer(received, _received.Count);
            _received.Add(received with { IsTaken = !reply.Hang && reply.Status is >= 200 and < 300 });
            var woken = _next;
            _next = New();
            woken.TrySetResult();
            return reply;
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
