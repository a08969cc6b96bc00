using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Conformance.Tests.Subscriptions;
using Tests.Shared;

namespace Faults.Tests;

/// <summary>Stands in for subscribers that do as the specification tells them to: they ignore an event whose number they have, and count on no number being left out.</summary>
internal sealed class EventReceiver : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ConcurrentDictionary<string, EventLedger> _ledgers = new(StringComparer.Ordinal);

    public EventReceiver()
    {
        _listener.Prefixes.Add($"http://{Authority}/");
        _listener.Start();
        _ = ServeAsync();
    }

    public string Authority { get; } = $"127.0.0.1:{FreePort.Draw()}";

    /// <summary>Lets a server reach the receiver, and try again soon.</summary>
    public IEnumerable<KeyValuePair<string, string>> Settings =>
    [
        new("Subscriptions:AllowedPrivateEndpoints:0", Authority), new("Subscriptions:FirstRetry", "00:00:00.100"), new("Subscriptions:LongestRetry", "00:00:01"),
    ];

    /// <param name="pause">How long it thinks about each notification.</param>
    public EventLedger Open(string name, TimeSpan pause = default) => _ledgers[name] = new($"http://{Authority}/{name}", pause);

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
            var bundle = JsonNode.Parse(await reader.ReadToEndAsync())!;
            var ledger = _ledgers[context.Request.Url!.AbsolutePath.Trim('/')];
            await Task.Delay(ledger.Pause);
            ledger.Enter(bundle);
            context.Response.Close();
        }
        catch (Exception error) when (error is HttpListenerException or ObjectDisposedException or InvalidOperationException or IOException or System.Text.Json.JsonException)
        {
            // Killed in the middle of its request: never answered.
        }
    }
}

/// <summary>What one subscriber has been told.</summary>
internal sealed class EventLedger(string address, TimeSpan pause)
{
    private readonly Lock _lock = new();
    private readonly List<(string Focus, string? Version)> _events = [];
    private readonly List<string> _wrong = [];
    private int _repeated;

    public string Address => address;

    public TimeSpan Pause => pause;

    /// <summary>Id of the Subscription, once it is made.</summary>
    public string Id { get; set; } = "";

    /// <summary>Number of the last event.</summary>
    public long Last
    {
        get
        {
            lock (_lock)
            {
                return _events.Count;
            }
        }
    }

    /// <summary>In the order of their numbers, from 1: <c>Type/id</c> and, where the notification holds it, the version.</summary>
    public IReadOnlyList<(string Focus, string? Version)> Events
    {
        get
        {
            lock (_lock)
            {
                return [.. _events];
            }
        }
    }

    /// <summary>Events that came although they were there.</summary>
    public int Repeated
    {
        get
        {
            lock (_lock)
            {
                return _repeated;
            }
        }
    }

    /// <summary>Gaps, disorder, and repetitions that are not what they repeat.</summary>
    public IReadOnlyList<string> Wrong
    {
        get
        {
            lock (_lock)
            {
                return [.. _wrong];
            }
        }
    }

    internal void Enter(JsonNode bundle)
    {
        var resources = bundle["entry"]!.AsArray().Skip(1).Select(entry => entry!["resource"]).ToArray();
        lock (_lock)
        {
            foreach (var (index, happened) in Notice.EventsOf(bundle).Index())
            {
                var number = long.Parse((string)Notice.Part(happened, "event-number")!, CultureInfo.InvariantCulture);
                var focus = string.Join('/', ((string)Notice.Part(happened, "focus")!["reference"]!).Split('/')[^2..]);
                var told = (focus, resources.Length == 0 ? null : (string?)resources[index]!["meta"]!["versionId"]);
                if (number == _events.Count + 1)
                {
                    _events.Add(told);
                }
                else if (number > _events.Count)
                {
                    _wrong.Add($"{number} after {_events.Count}");
                }
                else
                {
                    _repeated++;
                    if (_events[(int)number - 1] != told)
                    {
                        _wrong.Add($"{number} was {_events[(int)number - 1]} and is {told}");
                    }
                }
            }
        }
    }
}
