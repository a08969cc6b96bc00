using System.Text;

namespace FhirServer.Observability;

/// <summary>A part of the server that has something to say in <c>/metrics</c>, in Prometheus' text format and without a word about patients.</summary>
internal interface IMetricsSource
{
    void Write(StringBuilder text);
}
