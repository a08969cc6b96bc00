using System.Net.Http.Headers;
using System.Text;
using Authorization.Accounts;

namespace FhirServer.Messages;

/// <summary>Sends SMS by Twilio's REST API.</summary>
internal sealed class TwilioSender : ICodeSender, IDisposable
{
    private readonly TwilioSettings _settings;
    private readonly HttpClient _http;

    public TwilioSender(TwilioSettings settings)
    {
        _settings = settings;
        _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { BaseAddress = settings.BaseUrl };
        _http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{settings.AccountSid}:{settings.AuthToken}")));
    }

    public ContactKind Kind => ContactKind.Phone;

    public async Task SendAsync(CodeMessage message, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(message);
        using var form = new FormUrlEncodedContent(
        [
            new("To", message.To),
            new(_settings.From.StartsWith("MG", StringComparison.Ordinal) ? "MessagingServiceSid" : "From", _settings.From),
            new("Body", message.Text),
        ]);
        using var answer = await _http.PostAsync(new Uri($"2010-04-01/Accounts/{_settings.AccountSid}/Messages.json", UriKind.Relative), form, ct);
        answer.EnsureSuccessStatusCode();
    }

    public void Dispose() => _http.Dispose();
}
