using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Conformance.Tests;

namespace Faults.Tests;

[Collection("one at a time")]
public sealed class TerminateTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    /// <summary>
    /// Under load the server is told to stop: while it drains it answers everything, after that it refuses connections. No answer is cut
    /// off, and what was acknowledged is there after the next start.
    /// </summary>
    [Fact]
    public async Task TerminateUnderLoad_EveryRequestIsAnsweredWholeOrRefused_ExitCodeZero()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM.");
        var ct = TestContext.Current.CancellationToken;
        await using var server = new ServerProcess();
        await server.StartAsync(ct, ("Server:DrainTime", "00:00:02"));
        await Clinic.OpenAsync(server, ct);
        var slots = new ConcurrentQueue<(string, string, string)>(await Clinic.AddDayAsync(server, "term", new DateOnly(2042, 1, 1), 400, ct));
        var created = new ConcurrentBag<string>();
        var broken = new ConcurrentBag<string>();
        var (answered, answeredLate, refused, told) = (0, 0, 0, 0L);

        var load = Enumerable.Range(0, 24).Select(worker => Task.Run(async () =>
        {
            for (var i = 0; ; i++)
            {
                try
                {
                    var (status, body) = (worker % 3) switch
                    {
                        0 => await server.SendAsync(HttpMethod.Get, Clinic.Patient, null, ct),
                        1 when slots.TryDequeue(out var slot) => await server.SendAsync(HttpMethod.Post, "Appointment/$book", Clinic.Booking(slot), ct),
                        _ => await server.SendAsync(HttpMethod.Post, "Patient", JsonNode.Parse("""{"resourceType":"Patient","active":true}"""), ct),
                    };
                    if (status is not (HttpStatusCode.OK or HttpStatusCode.Created))
                    {
                        broken.Add($"{status}: {body}");
                    }
                    else if (status == HttpStatusCode.Created)
                    {
                        created.Add($"{body!["resourceType"]}/{body["id"]}");
                    }
                    Interlocked.Increment(ref answered);
                    if (Volatile.Read(ref told) != 0)
                    {
                        Interlocked.Increment(ref answeredLate);
                    }
                }
                catch (HttpRequestException error) when (error.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
                {
                    Interlocked.Increment(ref refused);
                    return;
                }
                catch (Exception error) when (error is HttpRequestException or IOException)
                {
                    broken.Add(error.ToString());
                    return;
                }
            }
        }, ct)).ToArray();

        await Task.Delay(1500, ct);
        Assert.True(answered > 50, $"{answered} answers before the signal");
        var watch = Stopwatch.StartNew();
        Volatile.Write(ref told, 1);
        server.Running.Terminate();
        Assert.Equal(0, await server.Running.WaitForExitAsync(Limit, ct));
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10));
        await Task.WhenAll(load).WaitAsync(Limit, ct);
        Assert.True(broken.IsEmpty, string.Join("\n\n", broken));
        Assert.Equal(24, refused);
        Assert.True(answeredLate > 50, $"{answeredLate} answers while it drained");

        await server.StartAsync(ct);
        foreach (var key in created)
        {
            Assert.Equal(HttpStatusCode.OK, (await server.SendAsync(HttpMethod.Get, key, null, ct)).Status);
        }
    }

    [Fact]
    public async Task Draining_IsNotReadyAndClosesConnections_ASecondSignalEndsIt()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM.");
        var ct = TestContext.Current.CancellationToken;
        await using var server = new ServerProcess();
        await server.StartAsync(ct, ("Server:DrainTime", "00:00:30"));
        using (var before = await server.Http.GetAsync("metadata", ct))
        {
            Assert.Null(before.Headers.ConnectionClose);
        }
        server.Running.Terminate();
        var ready = new Uri(server.Running.Base, "/health/ready");
        for (var attempt = 0; ; attempt++)
        {
            using var answer = await server.Http.GetAsync(ready, ct);
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
            {
                Assert.Equal("""{"status":"stopping"}""", await answer.Content.ReadAsStringAsync(ct));
                Assert.True(answer.Headers.ConnectionClose);
                break;
            }
            Assert.True(attempt < 1000);
            await Task.Delay(10, ct);
        }
        using (var during = await server.Http.GetAsync("metadata", ct))
        {
            Assert.Equal(HttpStatusCode.OK, during.StatusCode);
            Assert.True(during.Headers.ConnectionClose);
        }
        Assert.False(server.Running.HasExited);
        var watch = Stopwatch.StartNew();
        server.Running.Terminate();
        Assert.Equal(0, await server.Running.WaitForExitAsync(Limit, ct));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"{watch.Elapsed}"); // of thirty
    }

    /// <summary>One process alone has nobody to hand over to: by default it stops at once.</summary>
    [Fact]
    public async Task WithoutADrainTime_ItStopsAtOnce()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM.");
        var ct = TestContext.Current.CancellationToken;
        await using var server = new ServerProcess();
        await server.StartAsync(ct);
        var watch = Stopwatch.StartNew();
        server.Running.Terminate();
        Assert.Equal(0, await server.Running.WaitForExitAsync(Limit, ct));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"{watch.Elapsed}");
    }
}
