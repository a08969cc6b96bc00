using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Faults.Tests;

/// <summary>kill -9 in the middle of creates: what was acknowledged is on record.</summary>
[Collection("one at a time")]
public sealed class AuditKillTests
{
    private const int Rounds = 5;
    private const int Creates = 300;

    [Fact]
    public async Task KillDuringCreates_EveryAcknowledgedCreateHasItsEvent()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var server = new ServerProcess();
        await server.StartAsync(ct);
        var random = new Random(17);
        var acknowledged = new ConcurrentBag<string>();
        for (var round = 0; round < Rounds; round++)
        {
            var killAt = acknowledged.Count + random.Next(20, Creates / 2);
            var enough = new TaskCompletionSource();
            var creates = Enumerable.Range(0, Creates).Select(_ => Task.Run(async () =>
            {
                try
                {
                    var (status, body) = await server.SendAsync(HttpMethod.Post, "Patient", JsonNode.Parse("""{"resourceType":"Patient"}""")!.AsObject(), ct);
                    if (status == HttpStatusCode.Created)
                    {
                        acknowledged.Add((string)body!["id"]!);
                        if (acknowledged.Count >= killAt)
                        {
                            enough.TrySetResult();
                        }
                    }
                }
                catch (Exception e) when (e is HttpRequestException or IOException or SocketException or TaskCanceledException)
                {
                    // Cut off by the kill: never acknowledged.
                }
            }, ct)).ToArray();
            await Task.WhenAny(enough.Task, Task.WhenAll(creates));
            await server.KillAsync();
            await Task.WhenAll(creates);
            await server.StartAsync(ct);
        }
        var events = await server.SearchAsync("AuditEvent?subtype=create&_count=1000", ct);
        var recorded = events.SelectMany(e => e["entity"]!.AsArray()).Select(entity => (string?)entity!["what"]?["reference"]).ToHashSet();
        Assert.True(acknowledged.Count > Rounds * 20);
        Assert.All(acknowledged, id => Assert.Contains($"Patient/{id}", recorded));
    }
}
