using System.Diagnostics;
using System.Text.RegularExpressions;
using Authorization.Server;
using Conformance.Tests;
using FhirServer.Settings;
using Microsoft.Extensions.Configuration;

namespace FhirServer.Tests.Deploy;

/// <summary>What can be known of the compose files and the image without an engine to run them.</summary>
public sealed partial class ComposeTests
{
    private const string Stack = "docker-compose.yml";
    private const string Single = "docker-compose.single.yml";
    private const string OwnImage = "fhir-server:";

    [Theory]
    [InlineData(Stack)]
    [InlineData(Single)]
    public void EveryService_IsPinned_Bounded_Watched_AndRunsWithoutRights(string file)
    {
        foreach (var service in new ComposeFile(file).Services)
        {
            Assert.True(service.Text("image") is { } image && ExactVersion().IsMatch(image), $"{service.Name}: the image is not pinned to an exact version.");
            Assert.True(service.Deep("deploy", "resources", "limits", "cpus") is string && service.Deep("deploy", "resources", "limits", "memory") is string, $"{service.Name}: no limits.");
            Assert.True(service.Text("restart") is "unless-stopped" or "on-failure", $"{service.Name}: no restart policy.");
            Assert.True(service.IsJob || service.Deep("healthcheck", "test") is not null, $"{service.Name}: no health check.");
            Assert.True(service.Text("read_only") == "true", $"{service.Name}: the root file system can be written.");
            Assert.Equal(["ALL"], service.List("cap_drop"));
            Assert.Contains("no-new-privileges:true", service.List("security_opt"));
        }
    }

    [Fact]
    public void Stack_HasAllItsParts_AndPublishesNginxOnly()
    {
        var services = new ComposeFile(Stack).Services.ToList();
        var names = services.Select(service => service.Name).ToList();
        Assert.Equal(
            ["api1", "api2", "kafka1", "kafka2", "kafka3", "mongo-init", "mongo1", "mongo2", "mongo3", "nginx", "redis1", "redis2", "sentinel1", "sentinel2", "sentinel3", "worker"], names.Order(StringComparer.Ordinal));
        Assert.Equal("nginx", Assert.Single(services, service => service.Field("ports") is not null).Name);
        Assert.Equal(["api", "api", "worker,subscriptions"], services.Select(service => service.Environment.GetValueOrDefault("Server__Roles")).OfType<string>());
        Assert.All(services, service => Assert.NotEmpty(service.List("networks")));
        Assert.DoesNotContain("edge", services.Where(service => service.Name.StartsWith("mongo", StringComparison.Ordinal) || service.Name.Contains("redis", StringComparison.Ordinal) || service.Name.StartsWith("kafka", StringComparison.Ordinal)).SelectMany(service => service.List("networks")));
    }

    [Theory]
    [InlineData(Stack)]
    [InlineData(Single)]
    public void EverythingNamed_Exists(string file)
    {
        var compose = new ComposeFile(file);
        var services = compose.Services.ToList();
        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach (var service in services)
        {
            Assert.All(service.List("secrets"), secret => Use("secrets", secret));
            Assert.All(service.List("networks"), network => Use("networks", network));
            Assert.All(service.List("depends_on"), other => Assert.Contains(services, known => known.Name == other));
            foreach (var mount in service.List("volumes"))
            {
                var source = mount.Split(':')[0];
                if (source.StartsWith('.'))
                {
                    Assert.True(Path.Exists(Path.Combine(RunningServer.RepositoryRoot, source)), $"{service.Name} mounts {source}, which is not in the repository.");
                    Assert.EndsWith(":ro", mount, StringComparison.Ordinal);
                }
                else
                {
                    Use("volumes", source);
                }
            }
        }
        foreach (var section in (string[])["secrets", "networks", "volumes"])
        {
            Assert.All(compose.Section(section).Keys, name => Assert.Contains($"{section}/{name}", used));
        }

        void Use(string section, string name)
        {
            Assert.True(compose.Section(section).ContainsKey(name), $"{section} lacks {name}.");
            used.Add($"{section}/{name}");
        }
    }

    [Theory]
    [InlineData(Stack)]
    [InlineData(Single)]
    public async Task EverySettingOfAServer_IsOneItKnows(string file)
    {
        var secrets = await MakeSecretsAsync(TestContext.Current.CancellationToken);
        try
        {
            var servers = new ComposeFile(file).Services.Where(service => service.Text("image")!.StartsWith(OwnImage, StringComparison.Ordinal)).ToList();
            Assert.NotEmpty(servers);
            foreach (var server in servers)
            {
                var settings = server.Environment.ToDictionary(pair => Setting(pair.Key), pair => (string?)pair.Value.ToString());
                foreach (var secret in server.List("secrets"))
                {
                    settings[Setting(secret)] = await File.ReadAllTextAsync(Path.Combine(secrets, secret), TestContext.Current.CancellationToken);
                }
                Assert.All(settings.Keys.Where(key => key.StartsWith("Auth:", StringComparison.Ordinal)), key => Assert.True(IsAuthorizationSetting(key), key));
                try
                {
                    ServerSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
                }
                catch (SettingsException wrong)
                {
                    Assert.SkipWhen(wrong.Problems.FirstOrDefault(problem => problem.Contains("not offered by this version", StringComparison.Ordinal)) is not null, wrong.Problems[0]);
                    Assert.Fail($"{server.Name}: {wrong.Message}");
                }
            }
        }
        finally
        {
            Directory.Delete(secrets, recursive: true);
        }
    }

    [Fact]
    public async Task Secrets_AreMadeByTheScript_OnceAndForNobodyElse()
    {
        var ct = TestContext.Current.CancellationToken;
        var folder = await MakeSecretsAsync(ct);
        try
        {
            var compose = new ComposeFile(Stack);
            foreach (var (name, secret) in compose.Section("secrets"))
            {
                Assert.Equal($"./deploy/secrets/{name}", ComposeFile.Map(secret)["file"]);
                Assert.True(new FileInfo(Path.Combine(folder, name)).Length > 30, name);
            }
            Assert.Equal(compose.Section("secrets").Keys.Order(StringComparer.Ordinal), Directory.EnumerateFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
            if (!OperatingSystem.IsWindows())
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
            }
            var before = await File.ReadAllTextAsync(Path.Combine(folder, "redis_password"), ct);
            await RunScriptAsync(folder, ct);
            Assert.Equal(before, await File.ReadAllTextAsync(Path.Combine(folder, "redis_password"), ct));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Nginx_TakesTheConfigurationThatItsScriptMakes()
    {
        var ct = TestContext.Current.CancellationToken;
        var deploy = Path.Combine(RunningServer.RepositoryRoot, "deploy", "nginx");
        Assert.SkipUnless(File.Exists(Path.Combine(deploy, "fhir.conf")), "deploy/nginx/fhir.conf is not in this version.");
        Assert.SkipUnless(CanRun("nginx"), "Checking nginx's configuration needs nginx.");
        var secrets = await MakeSecretsAsync(ct);
        var folder = Directory.CreateTempSubdirectory("fhir-nginx-").FullName;
        try
        {
            using var nginx = Process.Start(new ProcessStartInfo("sh", [Path.Combine(deploy, "start.sh"), "-t"])
            {
                RedirectStandardError = true,
                Environment = { ["SECRETS"] = secrets, ["TMPDIR"] = folder, ["API_HOSTS"] = "127.0.0.1 127.0.0.2" },
            })!;
            var output = await nginx.StandardError.ReadToEndAsync(ct);
            await nginx.WaitForExitAsync(ct);
            Assert.True(nginx.ExitCode == 0, output);
            var made = await File.ReadAllTextAsync(Path.Combine(folder, "fhir.conf"), ct);
            Assert.Contains("server 127.0.0.2:8080 ", made, StringComparison.Ordinal);
            Assert.DoesNotContain("server_name fhir.example.org", made, StringComparison.Ordinal);
            Assert.DoesNotContain("/var/", made, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
            Directory.Delete(secrets, recursive: true);
        }
    }

    [Fact]
    public void NoSecret_StandsInAFileOfTheRepository()
    {
        Assert.Contains("deploy/secrets/", File.ReadAllLines(Path.Combine(RunningServer.RepositoryRoot, ".gitignore")));
        Assert.Contains("deploy/secrets", File.ReadAllLines(Path.Combine(RunningServer.RepositoryRoot, ".dockerignore")));
        foreach (var service in new ComposeFile(Stack).Services)
        {
            Assert.All(service.Environment, pair => Assert.False(LooksSecret().IsMatch(pair.Key) && !pair.Key.EndsWith("_FILE", StringComparison.Ordinal), $"{service.Name}: {pair.Key} belongs into a file."));
        }
    }

    [Fact]
    public void Dockerfile_StartsFromExactVersions_RunsAsNobodyInParticular_AndWatchesItself()
    {
        var lines = File.ReadAllLines(Path.Combine(RunningServer.RepositoryRoot, "deploy", "Dockerfile"));
        var from = lines.Where(line => line.StartsWith("FROM ", StringComparison.Ordinal)).Select(line => line.Split(' ')[1]).ToList();
        Assert.Equal(2, from.Count);
        Assert.All(from, image => Assert.Matches(ExactVersion(), image));
        Assert.True(Array.FindIndex(lines, line => line.StartsWith("USER ", StringComparison.Ordinal)) > Array.FindLastIndex(lines, line => line.StartsWith("FROM ", StringComparison.Ordinal)));
        Assert.Contains(lines, line => line.StartsWith("HEALTHCHECK ", StringComparison.Ordinal) && line.Contains("\"health\"", StringComparison.Ordinal));
    }

    private static string Setting(string name) => name.Replace("__", ":", StringComparison.Ordinal);

    /// <summary>Section Auth is bound to its options, which ignore names they do not have.</summary>
    private static bool IsAuthorizationSetting(string key) => key.Split(':') switch
    {
        [_, nameof(AuthOptions.Clients), var number, var name] => int.TryParse(number, out _) && typeof(ClientOptions).GetProperty(name) is not null,
        [_, var name] => typeof(AuthOptions).GetProperty(name) is not null,
        _ => false,
    };

    private static async Task<string> MakeSecretsAsync(CancellationToken ct)
    {
        Assert.SkipUnless(CanRun("sh") && CanRun("openssl"), "Making secrets needs sh and openssl.");
        var folder = Path.Combine(Directory.CreateTempSubdirectory("fhir-secrets-").FullName, "secrets");
        await RunScriptAsync(folder, ct);
        return folder;
    }

    private static bool CanRun(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/sbin").Any(folder => File.Exists(Path.Combine(folder, program)));

    private static async Task RunScriptAsync(string folder, CancellationToken ct)
    {
        using var script = Process.Start(new ProcessStartInfo("sh", [Path.Combine(RunningServer.RepositoryRoot, "deploy", "make-secrets.sh"), folder]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, errors) = (script.StandardOutput.ReadToEndAsync(ct), script.StandardError.ReadToEndAsync(ct));
        await script.WaitForExitAsync(ct);
        Assert.True(script.ExitCode == 0, await output + await errors);
        Assert.Equal("", await errors);
    }

    /// <summary>Three numbers at least, whatever follows: 8.0.13, 10.0.100.</summary>
    [GeneratedRegex(@"^[a-z0-9./-]+:\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?$")]
    private static partial Regex ExactVersion();

    [GeneratedRegex("password|secret$|connectionstring|token|configuration$", RegexOptions.IgnoreCase)]
    private static partial Regex LooksSecret();
}
