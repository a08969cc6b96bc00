
namespace FhirServer.Observability;

/// <summary>A part of the server that has something to say in <c>/metrics</c>, in Prometheus' text format and without a word about patients.</summary>
internal interface IMetricsSource
{
    /// <summary>Finds out what takes a moment to know. Called before each <see cref="Write"/>, and given up after two seconds.</summary>
    Task AskAsync(CancellationToken ct) => Task.CompletedTask;

    void Write(MetricsText text);
}
