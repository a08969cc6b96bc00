namespace FhirStore.Sealed;

/// <summary>
/// The token that ends the request under way. OpenIddict asks its stores without one, so a request whose client has gone, or whose time
/// is over, would wait for an engine that hangs.
/// </summary>
public static class RequestToken
{
    private static readonly AsyncLocal<CancellationToken> Current = new();

    public static void Set(CancellationToken ct) => Current.Value = ct;

    /// <returns>The given token where it is one, otherwise the request's.</returns>
    public static CancellationToken Or(CancellationToken given) => given.CanBeCanceled ? given : Current.Value;
}
