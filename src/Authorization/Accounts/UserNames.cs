using System.Buffers;

namespace Authorization.Accounts;

/// <summary>What people type to sign in. ASCII only, so that no two names look alike.</summary>
public static class UserNames
{
    public const int Shortest = 3;
    public const int Longest = 100;

    private static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789._-+@");

    /// <returns>In lower case and without blanks around it; null where it cannot be anyone's name.</returns>
    public static string? Normalise(string? typed)
    {
        var name = typed?.Trim().ToLowerInvariant();
        return name is { Length: >= Shortest and <= Longest } && name.AsSpan().IndexOfAnyExcept(Allowed) < 0 ? name : null;
    }
}
