namespace Tests.Shared;

/// <summary>
/// Apache Kafka for tests: the cluster that <c>KAFKA_BOOTSTRAP</c> names, or else one that the folder <c>shared</c> beside the repository knows
/// how to start. Where there is neither, the test is skipped and says what it needs.
/// </summary>
/// <remarks>The common broker runs until this process ends. Each test takes a topic prefix of its own.</remarks>
public sealed class KafkaServer : IDisposable
{
    private const string Needed = "needs Kafka: set KAFKA_BOOTSTRAP to a cluster for tests, or put the folder shared (with kafka/start) beside the repository";
    private const string NeededOwn = "needs a Kafka it may stop: put the folder shared (with kafka/start) beside the repository";
    private const string NeededJava = "needs java to run Kafka: apt-get install openjdk-17-jre-headless";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly Lock Gate = new();
    private static KafkaServer? _common;

    private readonly string _folder;
    private readonly int _brokers;
    private bool _running;

    private KafkaServer(string folder, int port, int brokers)
    {
        _folder = folder;
        _brokers = brokers;
        Port = port;
    }

    public int Port { get; }

    /// <summary><c>host:port,host:port</c>; empty before the first start.</summary>
    public string Bootstrap { get; private set; } = "";

    /// <summary>Why <see cref="BootstrapOrSkip"/> would skip; null where it gives a cluster.</summary>
    public static string? WhyAbsent => Told is not null ? null : SharedFolder.Find("kafka") is null ? Needed : HasJava ? null : NeededJava;

    private static string? Told => Environment.GetEnvironmentVariable("KAFKA_BOOTSTRAP") is { Length: > 0 } told ? told : null;

    private static bool HasJava =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, "java")));

    /// <summary>Of the cluster that all tests of this process share, or the test is skipped.</summary>
    public static string BootstrapOrSkip()
    {
        if (Told is { } told)
        {
            return told;
        }
        lock (Gate)
        {
            return (_common ??= Begin(brokers: 1, Needed)).Bootstrap;
        }
    }

    /// <summary>A cluster of the caller's own, which it may stop and start, broker by broker; their data survives that. Or the test is skipped.</summary>
    public static KafkaServer OwnOrSkip(int brokers) => Begin(brokers, NeededOwn);

    /// <summary>A prefix of topics that no other test uses.</summary>
    public static string NewPrefix() => $"t{Guid.NewGuid():N}"[..12] + ".";

    /// <summary>Where the brokers keep what they are given.</summary>
    public string DataFolder => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } told ? told : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
        "kafka-test", $"state-{Port}", "data");

    /// <summary>Starts every broker that does not run.</summary>
    public void Start()
    {
        if (!TryRun("start", out var output, $"{Port}", "--brokers", $"{_brokers}"))
        {
            throw new InvalidOperationException($"Kafka did not start on port {Port}: {output}");
        }
        _running = true;
        Bootstrap = SharedFolder.LastLine(output);
    }

    /// <summary>As a power cut would: no farewell.</summary>
    /// <param name="broker">From 1.</param>
    public void Kill(int broker) => TryRun("stop", out _, $"{Port}", $"{broker}", "--kill");

    public void Dispose()
    {
        if (_running)
        {
            _running = false;
            TryRun("stop", out _, $"{Port}");
        }
    }

    private static KafkaServer Begin(int brokers, string needed)
    {
        var folder = SharedFolder.Find("kafka");
        Assert.SkipWhen(folder is null, needed);
        Assert.SkipUnless(HasJava, NeededJava);
        for (var attempt = 1; ; attempt++)
        {
            var server = new KafkaServer(folder, FreePort.Draw(brokers), brokers);
            AppDomain.CurrentDomain.ProcessExit += (_, _) => server.Dispose();
            try
            {
                server.Start();
                return server;
            }
            catch (InvalidOperationException) when (attempt < 3)
            {
                server.TryRun("stop", out _, $"{server.Port}"); // somebody else took a port meanwhile
            }
        }
    }

    private bool TryRun(string script, out string output, params string[] arguments) =>
        SharedFolder.TryRun(new(Path.Combine(_folder, script), arguments), Patience, out output);
}
