using Conformance.Tests;

namespace FhirServer.Tests;

/// <summary>What the executable says when it cannot start.</summary>
public sealed class StartTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("fhir-start-").FullName;

    [Theory]
    [InlineData("--Server:BaseUrl=nowhere", "Server:BaseUrl")]
    [InlineData("--Storage:Provider=Paper", "Storage:Provider")]
    [InlineData("--Auth:AccessTokenLifetime=1.00:00:00", "Auth:AccessTokenLifetime")]
    [InlineData("--Auth:AccessTokenLifetime=soon", "Auth:AccessTokenLifetime")]
    [InlineData("--Auth:AllowAnonymousOnLoopback=true", "Auth:AllowAnonymousOnLoopback", "--urls=http://0.0.0.0:1")]
    [InlineData("--Scheduling:FindLimit=1", "Scheduling:FindLimit")]
    [InlineData("--Scheduling:FindLimit=few", "Scheduling:FindLimit")]
    [InlineData("--Scheduling:TimeZone=Mars/Olympus", "Scheduling:TimeZone")]
    [InlineData("frobnicate", "frobnicate")]
    public async Task WrongSetting_StopsTheStartWithItsName(string argument, string named, string? more = null)
    {
        var (exitCode, output) = await RunningServer.RunAsync(_directory, more is null ? [argument] : [argument, more], TestContext.Current.CancellationToken);
        Assert.Equal(1, exitCode);
        Assert.Contains(named, output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SecondServerOnOneFolder_StopsAndSaysWhy()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var first = await RunningServer.StartAsync(_directory, [], [], ct);
        var (exitCode, output) = await RunningServer.RunAsync(_directory, ["--urls=http://127.0.0.1:0", "--Server:BaseUrl=http://127.0.0.1/fhir"], ct);
        Assert.Equal(1, exitCode);
        Assert.Contains("open in another process", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AddressInUse_IsSaidPlainly()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var first = await RunningServer.StartAsync(Path.Combine(_directory, "1"), [], [], ct);
        var (exitCode, output) = await RunningServer.RunAsync(Path.Combine(_directory, "2"), [$"--urls={first.Base.GetLeftPart(UriPartial.Authority)}"], ct);
        Assert.Equal(1, exitCode);
        Assert.Contains("urls:", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
