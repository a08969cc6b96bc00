using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Faults.Tests;

/// <summary>For tests whose work goes on while processes are killed under it.</summary>
internal static class Killing
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Kills one process once that much is under way, and starts it again while the work goes on.</summary>
    /// <returns>Whether the work was not yet done when it was killed.</returns>
    public static async Task<bool> InTheMiddleAsync(Deployment server, Task work, Func<bool> isUnderWay, CancellationToken ct)
    {
        while (!isUnderWay() && !work.IsCompleted)
        {
            await Task.Delay(Pause, ct);
        }
        var inTheMiddle = !work.IsCompleted;
        await server.KillAsync();
        await server.StartAsync(ct);
        return inTheMiddle;
    }

    /// <summary>Sends a request that may be carried out more than once, until it is acknowledged.</summary>
    public static async Task<JsonNode?> SendUntilTakenAsync(this Deployment server, HttpMethod method, string path, JsonNode body, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                var (status, answer) = await server.SendAsync(method, path, body, ct);
                if (status is HttpStatusCode.OK or HttpStatusCode.Created)
                {
                    return answer;
                }
                Assert.True(status is HttpStatusCode.ServiceUnavailable, $"{status} {answer}");
            }
            catch (Exception e) when (e is HttpRequestException or IOException or SocketException or ObjectDisposedException or TaskCanceledException && !ct.IsCancellationRequested)
            {
                // Cut off by the kill.
            }
            await Task.Delay(Pause, ct);
        }
    }
}
