using Authorization.Server;

namespace FhirServer.Settings;

/// <summary>What the composition root needs to know. Read once at start; a wrong value stops the start with the key's name.</summary>
public sealed record ServerSettings
{
    private static readonly string[] Sections = ["Server", "Storage", "Events", "Cache", "Blobs", "Keys"];

    /// <summary>Public FHIR base without a slash at the end; every link and Location begins with it.</summary>
    public required Uri BaseUrl { get; init; }

    /// <summary>Where Kestrel listens, as <c>urls</c> takes it.</summary>
    public required string Urls { get; init; }

    public required string DataDirectory { get; init; }

    public required StorageSettings Storage { get; init; }

    public required string KeyFile { get; init; }

    /// <summary>Largest request body, in bytes.</summary>
    public required long MaxBodyBytes { get; init; }

    /// <summary>Most entries of a batch or transaction.</summary>
    public required int MaxBundleEntries { get; init; }

    /// <summary>How long running requests may take to finish when the server is told to stop.</summary>
    public required TimeSpan ShutdownTimeout { get; init; }

    public required CacheSettings Cache { get; init; }

    public required EventSettings Events { get; init; }

    public required ProcessSettings Process { get; init; }

    public string RecordsDirectory => Path.Combine(DataDirectory, "records");

    public string ControlSocket => Path.Combine(DataDirectory, "control.sock");

    /// <exception cref="SettingsException">A value is wrong; the message names its key.</exception>
    public static ServerSettings Read(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var read = new SettingsReader(configuration);
        var urls = read.Text("urls", configuration["http_ports"] is { Length: > 0 } ports
            ? string.Join(';', ports.Split(';').Select(port => $"http://*:{port}"))
            : "http://localhost:8080");
        var baseUrl = ReadBaseUrl(read, urls);
        read.OptionalText(SecretFiles.Key);
        read.OneOf("Blobs:Provider", "Files", ["Files"], "S3");
        read.OneOf("Keys:Provider", "File", ["File"], "Aws");
        var data = ReadPath(read, "Storage:DataDirectory", "data", Directory.GetCurrentDirectory());
        var settings = new ServerSettings
        {
            BaseUrl = baseUrl,
            Urls = urls,
            DataDirectory = data,
            Storage = StorageSettings.Read(read),
            KeyFile = ReadPath(read, "Keys:File:Path", Path.Combine("keys", "master.key"), data),
            Cache = CacheSettings.Read(read),
            Events = EventSettings.Read(read),
            MaxBodyBytes = read.Number("Server:MaxBodyBytes", 32 << 20, 1 << 10, 1 << 30),
            MaxBundleEntries = (int)read.Number("Server:MaxBundleEntries", 10_000, 1, 1_000_000),
            ShutdownTimeout = read.Time("Server:ShutdownTimeout", TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10)),
            Process = ProcessSettings.Read(read),
        };
        foreach (var section in Sections)
        {
            read.RefuseUnknownKeys(section);
        }
        CheckLoopback(read, urls);
        read.ThrowIfAny();
        return settings;
    }

    private static Uri ReadBaseUrl(SettingsReader read, string urls)
    {
        var fallback = FallbackBaseUrl(urls);
        var text = read.Text("Server:BaseUrl", fallback).TrimEnd('/');
        if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            && uri.Query.Length == 0 && uri.Fragment.Length == 0 && uri.UserInfo.Length == 0 && uri.AbsolutePath.Length > 1)
        {
            return uri;
        }
        read.Refuse("Server:BaseUrl", $"'{text}' is not an absolute http or https address with a path, such as https://fhir.example.org/fhir");
        return new(fallback);
    }

    /// <summary>Without <c>Server:BaseUrl</c> the first listening address is also the public one.</summary>
    private static string FallbackBaseUrl(string urls)
    {
        var first = urls.Split(';', 2)[0].TrimEnd('/');
        var local = first.Replace("://*", "://localhost", StringComparison.Ordinal)
            .Replace("://+", "://localhost", StringComparison.Ordinal)
            .Replace("://0.0.0.0", "://localhost", StringComparison.Ordinal)
            .Replace("://[::]", "://localhost", StringComparison.Ordinal);
        return local + "/fhir";
    }

    /// <summary>Without tokens the server is for this machine only; what is really bound is checked again once it listens.</summary>
    private static void CheckLoopback(SettingsReader read, string urls)
    {
        const string key = "Auth:AllowAnonymousOnLoopback";
        if (read.OneOf(key, "false", ["false", "true"]) != "true")
        {
            return;
        }
        try
        {
            LoopbackOnly.Check([urls]);
        }
        catch (InvalidOperationException error)
        {
            read.Refuse(key, error.Message.TrimEnd('.'));
        }
    }

    private static string ReadPath(SettingsReader read, string key, string fallback, string relativeTo)
    {
        var text = read.Text(key, fallback);
        if (text.AsSpan().ContainsAny(Path.GetInvalidPathChars()))
        {
            read.Refuse(key, "not a path");
            return Path.GetFullPath(fallback, relativeTo);
        }
        return Path.GetFullPath(text, relativeTo);
    }
}
