using System.Globalization;
using System.Text;

namespace FhirServer.Observability;

/// <summary>What <c>/metrics</c> answers, in Prometheus' text exposition format 0.0.4.</summary>
internal sealed class MetricsText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new(8192);

    public void Counter(string name, string help, double value) => Counter(name, help).Add(value);

    public void Gauge(string name, string help, double value) => Gauge(name, help).Add(value);

    public Family Counter(string name, string help) => Begin(name, "counter", help);

    public Family Gauge(string name, string help) => Begin(name, "gauge", help);

    public Family Histogram(string name, string help) => Begin(name, "histogram", help);

    public override string ToString() => _text.ToString();

    /// <param name="help">One line.</param>
    private Family Begin(string name, string type, string help)
    {
        _text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");
        return new(this, name);
    }

    /// <summary>Samples of one name; they follow each other.</summary>
    public readonly struct Family(MetricsText metrics, string name)
    {
        public Family Add(double value, params ReadOnlySpan<(string Name, string Value)> labels)
        {
            metrics.Write(name, "", labels, null, value);
            return this;
        }

        /// <param name="counts">Of each bucket by itself; one more than there are bounds.</param>
        public void Add(ReadOnlySpan<double> bounds, long[] counts, double total, params ReadOnlySpan<(string Name, string Value)> labels)
        {
            var sum = 0L;
            for (var i = 0; i <= bounds.Length; i++)
            {
                sum += Volatile.Read(ref counts[i]);
                metrics.Write(name, "_bucket", labels, i < bounds.Length ? bounds[i].ToString(CultureInfo.InvariantCulture) : "+Inf", sum);
            }
            metrics.Write(name, "_sum", labels, null, total);
            metrics.Write(name, "_count", labels, null, sum);
        }
    }

    private void Write(string name, string suffix, ReadOnlySpan<(string Name, string Value)> labels, string? bound, double value)
    {
        _text.Append(name).Append(suffix);
        var before = '{';
        foreach (var (label, text) in labels)
        {
            Label(label, text);
        }
        if (bound is not null)
        {
            Label("le", bound);
        }
        _text.Append(before == '{' ? "" : "}").Append(CultureInfo.InvariantCulture, $" {value}\n");

        void Label(string label, string text)
        {
            _text.Append(before).Append(label).Append("=\"").Append(Escaped(text)).Append('"');
            before = ',';
        }
    }

    private static string Escaped(string value) => value.AsSpan().IndexOfAny('\\', '"', '\n') < 0
        ? value
        : value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
