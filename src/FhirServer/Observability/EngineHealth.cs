using System.Text.Json;
using FhirCore.Records;

namespace FhirServer.Observability;

/// <param name="Trouble">One line; null where it is well.</param>
internal sealed record EngineState(string Engine, bool IsRequired, string? Trouble)
{
    public bool IsWell => Trouble is null;

    public string Status => IsWell ? "available" : IsRequired ? "unavailable" : "degraded";
}

/// <summary>Asks every engine whether it is well: at most once a second however often it is asked itself, and no longer than two seconds.</summary>
internal sealed class EngineHealth(IEnumerable<IEngineProbe> probes, TimeProvider clock)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);
    private readonly Lock _gate = new();
    private readonly Watch[] _watches = [.. probes.Distinct().Select(probe => new Watch(probe, clock))];
    private Task<EngineState[]>? _asking;
    private long _askedAt;

    public Task<EngineState[]> AskAsync()
    {
        lock (_gate)
        {
            if (_asking is null || (_asking.IsCompleted && clock.GetElapsedTime(_askedAt) >= Fresh))
            {
                _askedAt = clock.GetTimestamp();
                _asking = Task.WhenAll(_watches.Select(watch => watch.AskAsync()));
            }
            return _asking;
        }
    }

    public static void WriteEngines(Utf8JsonWriter json, EngineState[] engines)
    {
        json.WriteStartArray("engines");
        foreach (var engine in engines)
        {
            json.WriteStartObject();
            json.WriteString("engine", engine.Engine);
            json.WriteString("status", engine.Status);
            if (engine.Trouble is { } trouble)
            {
                json.WriteString("detail", trouble);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    public static void WriteMetrics(MetricsText text, EngineState[] engines)
    {
        var up = text.Gauge("fhir_engine_up", "Whether the engine answers.");
        foreach (var engine in engines)
        {
            up.Add(engine.IsWell ? 1 : 0, ("engine", engine.Engine));
        }
    }

    /// <summary>One engine. A question that gets no answer is not asked again before it has ended: a hanging engine is not asked for more.</summary>
    private sealed class Watch(IEngineProbe probe, TimeProvider clock)
    {
        private const string Silent = "It does not answer within 2 seconds.";
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
        private Task<string?> _pending = Task.FromResult<string?>(null);

        public async Task<EngineState> AskAsync() => new(probe.Engine, probe.IsRequired, await TroubleAsync());

        private async Task<string?> TroubleAsync()
        {
            if (!_pending.IsCompleted)
            {
                return Silent;
            }
            using var limit = new CancellationTokenSource(Patience, clock);
            try
            {
                _pending = Task.Run(() => probe.CheckAsync(limit.Token).AsTask(), CancellationToken.None);
                return (await _pending.WaitAsync(limit.Token))?.ReplaceLineEndings(" ");
            }
            catch (OperationCanceledException)
            {
                return Silent;
            }
            catch (Exception)
            {
                return "It cannot be used right now."; // what a driver says may hold addresses
            }
        }
    }
}
