using Conformance.Tests;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace FhirServer.Tests.Deploy;

/// <summary>A compose file as its reader sees it: anchors and merges resolved.</summary>
internal sealed class ComposeFile
{
    private readonly Dictionary<string, object> _root;

    public ComposeFile(string name)
    {
        using var text = File.OpenText(Path.Combine(RunningServer.RepositoryRoot, name));
        _root = Map(new Deserializer().Deserialize<object>(new MergingParser(new Parser(text))));
    }

    public IEnumerable<Service> Services => Section("services").Select(pair => new Service(pair.Key, Map(pair.Value)));

    public Dictionary<string, object> Section(string name) => _root.TryGetValue(name, out var section) ? Map(section) : [];

    public static Dictionary<string, object> Map(object? value) =>
        value is IDictionary<object, object> map ? map.ToDictionary(pair => (string)pair.Key, pair => pair.Value) : [];

    /// <summary>A list of names, or the keys of a map: compose takes either.</summary>
    public static List<string> Names(object? value) => value switch
    {
        IEnumerable<object> list and not IDictionary<object, object> => [.. list.Select(item => item as string ?? throw new FormatException("Only short forms are used here."))],
        null => [],
        _ => [.. Map(value).Keys],
    };

    public sealed class Service(string name, Dictionary<string, object> fields)
    {
        public string Name => name;

        public bool IsJob => Text("restart") == "on-failure";

        public Dictionary<string, object> Environment => Map(Field("environment"));

        public object? Field(string field) => fields.GetValueOrDefault(field);

        public string? Text(string field) => Field(field) as string;

        public List<string> List(string field) => Names(Field(field));

        /// <summary>Of a path into nested maps.</summary>
        public object? Deep(params ReadOnlySpan<string> path)
        {
            object? value = fields;
            foreach (var step in path)
            {
                value = value is Dictionary<string, object> own ? own.GetValueOrDefault(step) : Map(value).GetValueOrDefault(step);
            }
            return value;
        }
    }
}
