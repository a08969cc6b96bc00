namespace Messages.Fcm;

/// <summary>How push messages are sent, https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages.</summary>
/// <param name="BaseUrl">Ends in a slash.</param>
/// <param name="CredentialsFile">Of a service account, as Google's console gives it; its <c>token_uri</c> is where tokens come from.</param>
public sealed record FcmOptions(Uri BaseUrl, string ProjectId, string CredentialsFile);
