using System.Runtime.Versioning;
using FhirCore.Keys;
using FhirStore.Encryption;

namespace FhirStore.Tests.Encryption;

public sealed class FileKeyVaultContractTests : KeyVaultContract, IDisposable
{
    private readonly TempFolder _folder = new();

    protected override IKeyVault Open() => FileKeyVault.Open(_folder.File("keys", "master.key"), mayCreate: true);

    protected override IKeyVault OpenOther() => FileKeyVault.Open(_folder.File("other", "master.key"), mayCreate: true);

    public void Dispose() => _folder.Dispose();
}

public sealed class FileKeyVaultTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string KeyPath => _folder.File("keys", "master.key");

    public void Dispose() => _folder.Dispose();

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void Open_FirstStart_MakesFileAndFolderForTheOwnerAlone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix file modes.");
        using var vault = FileKeyVault.Open(KeyPath, mayCreate: true);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyPath));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_folder.File("keys")));
        Assert.Equal([KeyPath], Directory.GetFiles(_folder.File("keys")));
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    [UnsupportedOSPlatform("windows")]
    public void Open_FileThatOthersCanUse_IsRefusedWithPathAndFix(UnixFileMode others)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix file modes.");
        FileKeyVault.Open(KeyPath, mayCreate: true).Dispose();
        File.SetUnixFileMode(KeyPath, File.GetUnixFileMode(KeyPath) | others);
        var refused = Assert.Throws<KeyFileException>(() => FileKeyVault.Open(KeyPath, mayCreate: true));
        Assert.Contains(KeyPath, refused.Message, StringComparison.Ordinal);
        Assert.Contains("chmod 600", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void Open_FileThatOnlyTheOwnerCanRead_IsTaken()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix file modes.");
        FileKeyVault.Open(KeyPath, mayCreate: true).Dispose();
        File.SetUnixFileMode(KeyPath, UnixFileMode.UserRead); // as a mounted secret is
        FileKeyVault.Open(KeyPath, mayCreate: false).Dispose();
    }

    [Fact]
    public void Open_MissingFileThatMustExist_IsRefusedAndNotMade()
    {
        var refused = Assert.Throws<KeyFileException>(() => FileKeyVault.Open(KeyPath, mayCreate: false));
        Assert.Contains(KeyPath, refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(KeyPath));
    }

    [Theory]
    [InlineData("")]
    [InlineData("fhir-root-key:1:")]
    [InlineData("fhir-root-key:1:AAAA")]
    [InlineData("fhir-root-key:2:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("not a key")]
    public void Open_FileThatHoldsNoKey_IsRefusedAndKept(string content)
    {
        Directory.CreateDirectory(_folder.File("keys"));
        File.WriteAllText(KeyPath, content);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(KeyPath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
        var refused = Assert.Throws<KeyFileException>(() => FileKeyVault.Open(KeyPath, mayCreate: true));
        Assert.Contains(KeyPath, refused.Message, StringComparison.Ordinal);
        Assert.Equal(content, File.ReadAllText(KeyPath));
    }

    [Fact]
    public async Task Open_ManyAtOnceOnFirstStart_AgreeOnOneKey()
    {
        for (var round = 0; round < 10; round++)
        {
            var path = _folder.File($"keys{round}", "master.key");
            using var start = new ManualResetEventSlim();
            var openings = Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    start.Wait();
                    using var vault = FileKeyVault.Open(path, mayCreate: true);
                    return vault.KeyId;
                },
                TaskCreationOptions.LongRunning)).ToArray();
            start.Set();
            Assert.Single((await Task.WhenAll(openings)).Distinct());
        }
    }

    [Fact]
    public void Open_AfterADeathInTheMiddleOfMakingTheFile_MakesIt()
    {
        Directory.CreateDirectory(_folder.File("keys"));
        File.WriteAllText(KeyPath + ".new", "fhir-root-key:1:hal");
        File.WriteAllText(KeyPath + ".lock", "");
        FileKeyVault.Open(KeyPath, mayCreate: true).Dispose();
        Assert.Equal([KeyPath], Directory.GetFiles(_folder.File("keys")));
    }

    [Fact]
    public async Task Wrap_AfterDispose_IsRefused()
    {
        var vault = FileKeyVault.Open(KeyPath, mayCreate: true);
        vault.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => vault.WrapAsync(new byte[32], default, default).AsTask());
    }

    [Fact]
    public void KeyId_DoesNotHoldTheKey()
    {
        using var vault = FileKeyVault.Open(KeyPath, mayCreate: true);
        var key = File.ReadAllText(KeyPath).Trim().Split(':')[^1];
        Assert.DoesNotContain(key[..8], vault.KeyId, StringComparison.Ordinal);
        var bytes = System.Buffers.Text.Base64Url.DecodeFromChars(key);
        Assert.DoesNotContain(Convert.ToHexStringLower(bytes.AsSpan(0, 4)), vault.KeyId, StringComparison.Ordinal);
    }

    [Fact]
    public void ResolvePath_ByDefault_IsInTheDataFolder()
    {
        Assert.Equal(_folder.File("keys", "master.key"), new FileKeyVaultOptions().ResolvePath(_folder.Path));
        Assert.Equal(_folder.File("k"), new FileKeyVaultOptions { Path = _folder.File("k") }.ResolvePath("elsewhere"));
    }
}
