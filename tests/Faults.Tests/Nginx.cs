using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Conformance.Tests;
using Tests.Shared;

namespace Faults.Tests;

/// <summary>A real nginx with <c>deploy/nginx/fhir.conf</c>, of which only addresses and paths are replaced.</summary>
internal sealed partial class Nginx : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fhir-nginx-").FullName;
    private readonly X509Certificate2 _certificate;
    private readonly int _port;
    private Process? _process;

    private Nginx(int port)
    {
        _port = port;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        _certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        File.WriteAllText(Path.Combine(_folder, "fullchain.pem"), _certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder, "privkey.pem"), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>With a slash at the end.</summary>
    public Uri Base => new($"https://127.0.0.1:{_port.ToString(CultureInfo.InvariantCulture)}/fhir/");

    /// <summary>Its own log of errors.</summary>
    public string Said => string.Concat(Directory.GetFiles(_folder, "*error.log").Select(File.ReadAllText));

    public string AccessLog => File.ReadAllText(Path.Combine(_folder, "fhir-access.log"));

    /// <summary>Not started: its address is known, so that servers can be told of it.</summary>
    public static Nginx NewOrSkip()
    {
        Assert.SkipWhen(Find() is null, "needs nginx: apt-get install nginx");
        return new(FreePort.Draw());
    }

    public async Task StartAsync(IEnumerable<int> upstreams, CancellationToken ct)
    {
        var site = File.ReadAllText(Path.Combine(RunningServer.RepositoryRoot, "deploy", "nginx", "fhir.conf"));
        var servers = string.Join("\n", upstreams.Select(port => $"server 127.0.0.1:{port} max_fails=1 fail_timeout=2s;"));
        site = UpstreamServers().Replace(site, "", UpstreamServers().Count(site) - 1).Replace("/etc/nginx/tls", _folder, StringComparison.Ordinal)
            .Replace("/var/log/nginx", _folder, StringComparison.Ordinal);
        site = UpstreamServers().Replace(site, servers, 1);
        site = Regex.Replace(site, @"listen \[::\].*\n", "");
        site = site.Replace("listen 80;", $"listen 127.0.0.1:{FreePort.Draw()};", StringComparison.Ordinal)
            .Replace("listen 443 ", $"listen 127.0.0.1:{_port} ", StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_folder, "fhir.conf"), site);
        File.WriteAllText(Path.Combine(_folder, "nginx.conf"), $$"""
            worker_processes 1;
            daemon off;
            pid {{_folder}}/nginx.pid;
            error_log {{_folder}}/error.log notice;
            events { worker_connections 1024; }
            http {
                client_body_temp_path {{_folder}}/t1; proxy_temp_path {{_folder}}/t2; fastcgi_temp_path {{_folder}}/t3; uwsgi_temp_path {{_folder}}/t4; scgi_temp_path {{_folder}}/t5;
                include {{_folder}}/fhir.conf;
            }
            """);
        var start = new ProcessStartInfo(Find()!, ["-p", _folder, "-e", Path.Combine(_folder, "error.log"), "-c", Path.Combine(_folder, "nginx.conf")]) { RedirectStandardError = true, RedirectStandardOutput = true };
        _process = Process.Start(start)!;
        using var http = NewClient();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                using var answer = await http.GetAsync("metadata", ct);
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
            if (attempt == 100 || _process.HasExited)
            {
                Assert.Fail("nginx does not answer. It said: " + Said);
            }
            await Task.Delay(100, ct);
        }
    }

    /// <summary>Trusts this nginx and nobody else.</summary>
    public HttpClient NewClient()
    {
        var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, offered, _, _) => offered is not null && offered.GetCertHashString() == _certificate.GetCertHashString();
        return new(handler) { BaseAddress = Base, Timeout = TimeSpan.FromSeconds(60) };
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
        _process?.Dispose();
        _certificate.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static string? Find() => new[] { "/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx", "/opt/homebrew/bin/nginx" }.FirstOrDefault(File.Exists);

    [GeneratedRegex(@"server fhir-api-\d:8080 [^\n]*")]
    private static partial Regex UpstreamServers();
}
