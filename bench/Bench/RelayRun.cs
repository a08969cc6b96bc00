using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Events.Kafka;
using FhirCore;
using FhirCore.Events;
using FhirCore.Records;
using FhirStore.Encryption;
using Storage.RocksDb;

namespace Bench;

/// <summary>
/// From the change log to Kafka: how many events a second the relay carries, out of RocksDB, each an Appointment sealed under its patient's key,
/// until as many brokers as the topic asks for have it and the relay's progress says so. What is read back is not measured.
/// </summary>
internal static class RelayRun
{
    public const double Aim = 20_000;

    private const int Patients = 5_000;
    private const int WritesOfACommit = 500;
    private const int Rounds = 3;
    private const int EventsOfARound = 100_000;

    public static async Task<int> RunAsync(BenchSettings settings)
    {
        var directory = Directory.CreateTempSubdirectory("fhir-relay-").FullName;
        try
        {
            await using var store = RocksDbRecordStore.Open(new() { Directory = Path.Combine(directory, "store") }, TimeProvider.System);
            using var vault = FileKeyVault.Open(Path.Combine(directory, "master.key"), mayCreate: true);
            using var keys = await StoreKeys.OpenAsync(store, vault, TimeProvider.System, default);
            var kafka = new KafkaEventsOptions
            {
                BootstrapServers = settings.Kafka!,
                TopicPrefix = $"bench{Guid.NewGuid():N}"[..12] + ".",
                ReplicationFactor = settings.KafkaCopies,
                Retention = TimeSpan.FromHours(1),
            };
            var counted = new Counted();
            using var log = new KafkaEventLog(store, kafka, new(), TimeSpan.FromMilliseconds(50), events: null, counted, TimeProvider.System);
            var (bytes, written) = (0L, 0);
            var rows = new List<string>();
            for (var round = 0; round <= Rounds; round++) // the first makes the topic and compiles the code
            {
                var events = round == 0 ? EventsOfARound / 5 : EventsOfARound;
                bytes = await FillAsync(store, keys.Cipher, written, events);
                written += events;
                var (before, cpu, begun) = (counted.Events, Process.GetCurrentProcess().TotalProcessorTime, Stopwatch.StartNew());
                using var stop = new CancellationTokenSource();
                var relaying = log.RelayAsync(stop.Token);
                while (counted.Events < before + events)
                {
                    await Task.Delay(5);
                    if (relaying.IsCompleted || counted.Failure is not null || begun.Elapsed > TimeSpan.FromMinutes(5))
                    {
                        throw new BenchException($"The relay came to {counted.Events - before} of {events} events. {counted.Failure}");
                    }
                }
                var (seconds, spent) = (begun.Elapsed.TotalSeconds, (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds);
                await stop.CancelAsync();
                await relaying.ContinueWith(static _ => { }, TaskScheduler.Default);
                if (round > 0)
                {
                    rows.Add(string.Create(CultureInfo.InvariantCulture, $"| {round} | {events / seconds:N0} | {events / spent:N0} | {bytes / seconds / 1e6:0.0} | {Aim:N0} |"));
                    Console.WriteLine(rows[^1]);
                }
            }
            await WriteAsync(settings, bytes / EventsOfARound, rows, Console.Out);
            if (settings.Output is { } output)
            {
                await using var writer = new StreamWriter(output) { NewLine = "\n" };
                await WriteAsync(settings, bytes / EventsOfARound, rows, writer);
            }
            return 0;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <returns>Bytes of the sealed bodies.</returns>
    private static async Task<long> FillAsync(RocksDbRecordStore store, RecordCipher cipher, int from, int events)
    {
        var bytes = 0L;
        for (var first = from; first < from + events; first += WritesOfACommit)
        {
            var writes = ImmutableArray.CreateBuilder<RecordWrite>(WritesOfACommit);
            var keyWrites = new List<RecordWrite>();
            for (var i = first; i < Math.Min(first + WritesOfACommit, from + events); i++)
            {
                var (key, at, patient) = (new ResourceKey("Appointment", $"a{i}"), TimeProvider.System.GetUtcNow(), $"p{i % Patients}");
                at = at.AddTicks(-(at.UtcTicks % TimeSpan.TicksPerMillisecond));
                var body = await cipher.SealAsync(key, 1, at, patient, Appointment(i, patient), keyWrites, default);
                bytes += body.Length;
                writes.Add(new(new() { Key = key, Version = 1, LastUpdated = at, Partition = patient, Body = body }, 0, Journal: true, "book"));
            }
            writes.AddRange(keyWrites);
            if (await store.CommitAsync(new(writes.DrainToImmutable(), [], []), default) is not CommitResult.Done)
            {
                throw new BenchException("The change log could not be filled.");
            }
        }
        return bytes;
    }

    /// <summary>As <c>$book</c> stores one.</summary>
    private static byte[] Appointment(int number, string patient) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""
        {"resourceType":"Appointment","id":"a{{number}}","meta":{"versionId":"1","lastUpdated":"2030-01-07T08:00:00.000Z"},"status":"booked","serviceCategory":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/service-category","code":"17","display":"General Practice"}]}],"serviceType":[{"coding":[{"system":"http://snomed.info/sct","code":"11429006","display":"Consultation"}]}],"description":"Follow-up after blood test","slot":[{"reference":"Slot/s{{number}}"}],"created":"2030-01-07T08:00:00Z","start":"2030-02-0{{1 + (number % 9)}}T09:00:00+01:00","end":"2030-02-0{{1 + (number % 9)}}T09:20:00+01:00","minutesDuration":20,"participant":[{"actor":{"reference":"Patient/{{patient}}","display":"Anna-Lena Muster"},"required":"required","status":"accepted"},{"actor":{"reference":"Practitioner/d{{number % 100}}","display":"Dr. Beispiel"},"required":"required","status":"accepted"},{"actor":{"reference":"Location/l1","display":"Room 2"},"status":"accepted"}]}
        """));

    private static async Task WriteAsync(BenchSettings settings, long bytes, List<string> rows, TextWriter to)
    {
        await to.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"""
            # From the change log to Kafka

            {TimeProvider.System.GetUtcNow():yyyy-MM-dd}, {Report.Cpu()}, {Environment.ProcessorCount} cores for the relay and for Kafka, {settings.KafkaCopies} {(settings.KafkaCopies == 1 ? "copy" : "copies")} of each partition, acks=all, idempotent; {EventsOfARound:N0} events a round, each an Appointment of {bytes:N0} bytes sealed. Load of the machine at the end: {File.ReadAllText("/proc/loadavg").Split(' ')[0]}.

            | round | events/s | per CPU-second of the relay | MB/s of bodies | aim, events/s |
            | --- | --: | --: | --: | --: |
            """));
        foreach (var row in rows)
        {
            await to.WriteLineAsync(row);
        }
    }

    private sealed class Counted : IKafkaObserver
    {
        private long _events;

        public long Events => Interlocked.Read(ref _events);

        public string? Failure { get; private set; }

        public void Published(int events) => Interlocked.Add(ref _events, events);

        public void RelayFailed(Exception why) => Failure = $"{why.GetType().Name}: {why.Message}";

        public void Trouble(string client, string code, string reason)
        {
        }

        public void Unreadable(string topic, int partition, long offset)
        {
        }

        public void CaughtUp(string group, string lane, int events)
        {
        }
    }
}
