using System.Globalization;
using System.Net;
using System.Numerics;
using CsCheck;
using FhirCore.Outbound;

namespace FhirCore.Tests;

public sealed class OutboundTests
{
    // The registries once more, as bounds: the code compares prefixes, this compares numbers.
    private static readonly (string First, string Last)[] Special4 =
    [
        ("0.0.0.0", "0.255.255.255"), ("10.0.0.0", "10.255.255.255"), ("100.64.0.0", "100.127.255.255"), ("127.0.0.0", "127.255.255.255"),
        ("169.254.0.0", "169.254.255.255"), ("172.16.0.0", "172.31.255.255"), ("192.0.0.0", "192.0.0.255"), ("192.0.2.0", "192.0.2.255"),
        ("192.88.99.0", "192.88.99.255"), ("192.168.0.0", "192.168.255.255"), ("198.18.0.0", "198.19.255.255"), ("198.51.100.0", "198.51.100.255"),
        ("203.0.113.0", "203.0.113.255"), ("224.0.0.0", "255.255.255.255"),
    ];

    private static readonly (string First, string Last)[] Special6 =
    [
        ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"), ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ];

    // Half of the samples lie at an edge of a range, where mistakes live.
    private static readonly Gen<IPAddress> AnyV4 = Gen.OneOf(
        Gen.UInt.Select(number => From4(number)),
        Gen.Int[0, Special4.Length - 1].SelectMany(i => Gen.Int[-1, 1].Select(Gen.Bool, (step, last) => From4((uint)(Number(IPAddress.Parse(last ? Special4[i].Last : Special4[i].First)) + step & uint.MaxValue)))));

    private static readonly Gen<IPAddress> AnyV6 = Gen.OneOf(
        Gen.Byte.Array[16].Select(bytes => new IPAddress(bytes)),
        Gen.Byte.Array[16].Select(bytes => new IPAddress([(byte)(0x20 | (bytes[0] & 0x1f)), .. bytes[1..]])),
        Gen.Int[0, Special6.Length - 1].SelectMany(i => Gen.Int[-1, 1].Select(Gen.Bool, (step, last) => From6(Number(IPAddress.Parse(last ? Special6[i].Last : Special6[i].First)) + step))));

    [Fact]
    public void IsPublic_OfIPv4_IsWhatTheRegistrySays() => AnyV4.Sample(address =>
        InternetAddress.IsPublic(address) == !Special4.Any(range => Number(address) >= Number(IPAddress.Parse(range.First)) && Number(address) <= Number(IPAddress.Parse(range.Last))), iter: 20_000);

    [Fact]
    public void IsPublic_OfAMappedAddress_IsThatOfTheAddress() => AnyV4.Sample(address =>
        InternetAddress.IsPublic(address.MapToIPv6()) == InternetAddress.IsPublic(address), iter: 5_000);

    [Fact]
    public void IsPublic_OfIPv6_IsWhatTheRegistrySays() => AnyV6.Sample(address => address.IsIPv4MappedToIPv6 ||
        InternetAddress.IsPublic(address) == (address.GetAddressBytes()[0] >> 5 == 1
            && !Special6.Any(range => Number(address) >= Number(IPAddress.Parse(range.First)) && Number(address) <= Number(IPAddress.Parse(range.Last)))), iter: 20_000);

    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("::")]
    [InlineData("fe80::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("2002:a9fe:a9fe::")]
    [InlineData("::127.0.0.1")]
    public void Reaches_OfAPrivateAddress_OnlyWhereItIsNamed(string text)
    {
        var address = IPAddress.Parse(text);

        Assert.False(new OutboundGuard(AllowedEndpoints.None).Reaches("name.example", 443, address));
        Assert.True(AllowedEndpoints.TryParse(["name.example:443"], out var byName, out _));
        Assert.True(new OutboundGuard(byName).Reaches("NAME.example", 443, address));
        Assert.False(new OutboundGuard(byName).Reaches("name.example", 444, address));
        Assert.False(new OutboundGuard(byName).Reaches("other.example", 443, address));
    }

    [Theory]
    [InlineData("https://ehr.example/jwks", true)]
    [InlineData("https://10.1.2.3/jwks", true)]
    [InlineData("https://[::ffff:10.1.2.3]/jwks", true)]
    [InlineData("http://local.example:8080/jwks", true)]
    [InlineData("http://local.example/jwks", false)]
    [InlineData("http://10.1.2.3/jwks", false)]
    [InlineData("https://10.2.2.3/jwks", false)]
    [InlineData("https://0x7f.1/jwks", false)]
    [InlineData("https://2130706433/jwks", false)]
    [InlineData("https://[::1]/", false)]
    [InlineData("https://me@ehr.example/", false)]
    [InlineData("https://ehr.example/#x", false)]
    [InlineData("ftp://ehr.example/", false)]
    public void Refuse_LooksAtTheTextOfTheAddress(string target, bool passes)
    {
        Assert.True(AllowedEndpoints.TryParse(["10.1.0.0/16", "local.example:8080"], out var allowed, out _));

        Assert.Equal(passes, new OutboundGuard(allowed).Refuse(new(target)) is null);
    }

    [Theory]
    [InlineData("host")]
    [InlineData("host:0")]
    [InlineData("host:65536")]
    [InlineData(":80")]
    [InlineData("10.0.0.1/8")]
    [InlineData("a b:80")]
    [InlineData("http://host:80")]
    public void TryParse_OfWhatIsNeither_NamesIt(string entry)
    {
        Assert.False(AllowedEndpoints.TryParse(["ok.example:443", entry], out _, out var wrong));
        Assert.Equal(entry, wrong);
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("127.0.0.1")]
    public async Task Handler_DoesNotConnectToLoopback_UnlessItIsNamed(string host)
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var target = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://{host}:{port}/"));
        using var strict = new HttpClient(new OutboundGuard(AllowedEndpoints.None).CreateHandler(TimeSpan.FromSeconds(5)));
        Assert.True(AllowedEndpoints.TryParse([$"{host}:{port}"], out var allowed, out _));
        using var open = new HttpClient(new OutboundGuard(allowed).CreateHandler(TimeSpan.FromSeconds(5))) { Timeout = TimeSpan.FromSeconds(5) };

        await Assert.ThrowsAsync<HttpRequestException>(() => strict.GetAsync(target));
        Assert.False(listener.Pending());
        var call = open.GetAsync(target);
        using var accepted = await listener.AcceptSocketAsync();
        Assert.True(accepted.Connected);
        accepted.Close();
        await Assert.ThrowsAnyAsync<Exception>(() => call);
    }

    private static IPAddress From4(uint number) => new([(byte)(number >> 24), (byte)(number >> 16), (byte)(number >> 8), (byte)number]);

    private static IPAddress From6(BigInteger number)
    {
        var bytes = (number & ((BigInteger.One << 128) - 1)).ToByteArray(isUnsigned: true, isBigEndian: true);
        return new([.. new byte[16 - bytes.Length], .. bytes]);
    }

    private static BigInteger Number(IPAddress address) => new(address.GetAddressBytes(), isUnsigned: true, isBigEndian: true);
}
