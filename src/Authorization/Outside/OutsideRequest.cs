namespace Authorization.Outside;

/// <summary>Somebody whom an outside provider knows and we do not, until an administrator says who they are here: part of their account.</summary>
/// <param name="Name">As the provider calls them.</param>
/// <param name="EmailVerified">By the provider's word.</param>
public sealed record OutsideRequest(string Provider, string? Name, string? Email, bool EmailVerified, DateTimeOffset At);
