using FhirServer.Backup;

namespace FhirServer.Commands;

/// <summary><c>health</c>: asks the server of this machine, at the first of <c>urls</c>, whether it is ready. For container images, which have no curl.</summary>
internal sealed class HealthCommand : ICommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public async Task<int> RunAsync(ReadOnlyMemory<string> args, CancellationToken ct)
    {
        var address = Address(CommandSettings.Read(args).Urls);
        using var handler = new HttpClientHandler { UseProxy = false };
        using var http = new HttpClient(handler) { Timeout = Patience };
        try
        {
            using var response = await http.GetAsync(new Uri(address, "/health/ready"), ct);
            await Console.Out.WriteLineAsync(await response.Content.ReadAsStringAsync(ct));
            return response.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            throw new CommandException($"No answer at {address}.");
        }
    }

    internal static Uri Address(string urls)
    {
        var address = Microsoft.AspNetCore.Http.BindingAddress.Parse(urls.Split(';', 2)[0]);
        var host = address.Host is "*" or "+" or "0.0.0.0" or "[::]" ? "localhost" : address.Host;
        return new UriBuilder(address.Scheme, host, address.Port).Uri;
    }
}
