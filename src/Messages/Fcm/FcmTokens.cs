using Google.Apis.Auth.OAuth2;

namespace Messages.Fcm;

/// <summary>Access tokens of the service account; kept by the library until they are nearly over.</summary>
internal sealed class FcmTokens
{
    private const string Scope = "https://www.googleapis.com/auth/firebase.messaging";
    private readonly ServiceAccountCredential _account;

    /// <exception cref="InvalidOperationException">The file is not there, or holds no service account.</exception>
    public FcmTokens(string file)
    {
        try
        {
            var account = CredentialFactory.FromFile<ServiceAccountCredential>(file);
            _account = (ServiceAccountCredential)account.ToGoogleCredential().CreateScoped(Scope).UnderlyingCredential;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidOperationException or ArgumentException or FormatException or System.Text.Json.JsonException or Newtonsoft.Json.JsonException)
        {
            // What the library says may quote the key.
            throw new InvalidOperationException($"it cannot be read as the credentials of a service account ({error.GetType().Name})");
        }
    }

    public Task<string> GetAsync(CancellationToken ct) => _account.GetAccessTokenForRequestAsync(cancellationToken: ct);
}
