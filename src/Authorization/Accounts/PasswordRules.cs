using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Authorization.Accounts;

public enum PasswordFault
{
    TooShort,
    TooLong,
    /// <summary>One of the passwords everyone tries first, with or without digits around it, or one that repeats or counts.</summary>
    TooCommon,
    HoldsUserName,
}

/// <summary>
/// NIST SP 800-63B section 5.1.1.2: length counts, composition does not; what attackers try first is refused. At least 12 characters,
/// as a password may be the only factor.
/// </summary>
public static class PasswordRules
{
    public const int Shortest = 12;

    /// <summary>In characters as people count them. Longer ones would only cost us time.</summary>
    public const int Longest = 128;

    private const int FewestDifferent = 5;

    private static readonly FrozenSet<string> Common = ReadCommon();

    /// <returns>Null for a good password.</returns>
    public static PasswordFault? Check(string password, string? userName)
    {
        ArgumentNullException.ThrowIfNull(password);
        if (password.Length > Longest * 4)
        {
            return PasswordFault.TooLong; // counting what a megabyte looks like is not our work
        }
        var length = new StringInfo(password).LengthInTextElements;
        if (length is < Shortest or > Longest)
        {
            return length < Shortest ? PasswordFault.TooShort : PasswordFault.TooLong;
        }
        var lower = password.ToLowerInvariant();
        if (IsCommon(lower))
        {
            return PasswordFault.TooCommon;
        }
        return HoldsName(lower, userName) ? PasswordFault.HoldsUserName : null;
    }

    private static bool IsCommon(string lower) =>
        lower.Distinct().Count() < FewestDifferent || Counts(lower) || Common.Contains(Letters(lower)) || Common.Contains(Half(lower)) || Common.Contains(Half(Letters(lower)));

    /// <summary>123456789012, abcdefghijkl, 987654321098: each character follows the one before.</summary>
    private static bool Counts(string lower)
    {
        var up = 0;
        var down = 0;
        for (var i = 1; i < lower.Length; i++)
        {
            var step = lower[i] - lower[i - 1];
            up += step is 1 or -9 ? 1 : 0;
            down += step is -1 or 9 ? 1 : 0;
        }
        return Math.Max(up, down) >= lower.Length - 2;
    }

    /// <summary>The word in <c>123Password!2024</c>: without what is put around it, and with digits that stand for letters read as such.</summary>
    private static string Letters(string lower)
    {
        var word = lower.AsSpan().Trim("0123456789!?.,;:-_*+#$%&/()=@ ");
        var plain = new StringBuilder(word.Length);
        foreach (var c in word)
        {
            plain.Append(c switch { '0' => 'o', '1' => 'i', '3' => 'e', '4' or '@' => 'a', '5' or '$' => 's', '7' => 't', _ => c });
        }
        return plain.ToString();
    }

    /// <summary>The word in <c>passwordpassword</c>.</summary>
    private static string Half(string lower)
    {
        var middle = lower.Length / 2;
        return lower.Length % 2 == 0 && lower.AsSpan(0, middle).SequenceEqual(lower.AsSpan(middle)) ? lower[..middle] : lower;
    }

    private static bool HoldsName(string lower, string? userName)
    {
        var name = userName?.Split('@')[0];
        return name is { Length: >= 4 } && lower.Contains(name, StringComparison.Ordinal) && lower.Length - name.Length < Shortest / 2;
    }

    private static FrozenSet<string> ReadCommon()
    {
        using var stream = typeof(PasswordRules).Assembly.GetManifestResourceStream("assets/common-passwords.txt")
            ?? throw new InvalidOperationException("The list of common passwords is not in the assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToFrozenSet(StringComparer.Ordinal);
    }
}
