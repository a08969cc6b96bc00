using System.Net;
using FhirServer.Http;

namespace FhirServer.Tests.Processes;

public sealed class ClientAddressTests
{
    private static readonly IPNetwork[] Trusted = [IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("2001:db8:1::/48")];

    [Theory]
    [InlineData("203.0.113.9", "192.0.2.1", "203.0.113.9")] // no proxy of ours: the header is a claim
    [InlineData("10.0.0.1", null, "10.0.0.1")]
    [InlineData("10.0.0.1", "192.0.2.1", "192.0.2.1")]
    [InlineData("10.0.0.1", "1.2.3.4, 192.0.2.1", "192.0.2.1")] // what the client itself put in front
    [InlineData("10.0.0.1", "192.0.2.1, 10.9.9.9", "192.0.2.1")] // two proxies
    [InlineData("10.0.0.1", "10.2.2.2, 10.9.9.9", "10.2.2.2")] // all of them ours
    [InlineData("10.0.0.1", "192.0.2.1:50123", "192.0.2.1")]
    [InlineData("10.0.0.1", "unknown, 10.9.9.9", "10.9.9.9")]
    [InlineData("10.0.0.1", "nonsense", "10.0.0.1")]
    [InlineData("::ffff:10.0.0.1", "192.0.2.1", "192.0.2.1")]
    [InlineData("2001:db8:1::5", "[2001:db8:9::7]:4711", "2001:db8:9::7")]
    [InlineData("2001:db8:2::5", "192.0.2.1", "2001:db8:2::5")]
    public void Client_IsTheLastAddressThatIsNoTrustedProxy(string peer, string? header, string expected) =>
        Assert.Equal(IPAddress.Parse(expected), ClientAddress.Find(IPAddress.Parse(peer), header, Trusted));

    [Fact]
    public void WithoutTrustedProxies_TheHeaderMeansNothing() =>
        Assert.Equal(IPAddress.Loopback, ClientAddress.Find(IPAddress.Loopback, "192.0.2.1", []));

    /// <summary>Ten failures from one address behind the proxy leave another address behind it alone.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task LoginThrottle_CountsByTheClientBehindATrustedProxy(bool trusted)
    {
        await using var database = new SharedDatabase();
        var server = await database.StartAsync(trusted ? ["--Server:TrustedProxies=127.0.0.1,::1"] : []);
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(401, await AskAsync(server.Origin, "192.0.2.1", "wrong"));
        }
        Assert.Equal(429, await AskAsync(server.Origin, "192.0.2.1", "wrong"));
        Assert.Equal(trusted ? 200 : 429, await AskAsync(server.Origin, "192.0.2.2", "a-secret-for-tests-only"));
    }

    private static async Task<int> AskAsync(string origin, string from, string secret)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, origin + "/auth/token")
        {
            Content = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("client_id", "tests"), new("client_secret", secret), new("scope", "system/*.cruds")]),
        };
        request.Headers.Add("X-Forwarded-For", from);
        using var response = await http.SendAsync(request);
        return (int)response.StatusCode;
    }
}
