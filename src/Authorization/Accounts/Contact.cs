using System.Buffers;

namespace Authorization.Accounts;

public enum ContactKind
{
    Email,
    /// <summary>A mobile number that takes SMS.</summary>
    Phone,
}

/// <summary>An e-mail address or a phone number as people type it, in the one spelling we keep.</summary>
public sealed record Contact(ContactKind Kind, string Value)
{
    private const int ShortestPhone = 8; // digits, with the country's
    private const int LongestPhone = 15; // E.164

    private static readonly SearchValues<char> BetweenDigits = SearchValues.Create(" -()./\u00A0");

    /// <returns>Null where it is neither: an address is <c>name@host.domain</c> in ASCII, a number is international (+49 151 …).</returns>
    public static Contact? Parse(string? typed)
    {
        var text = typed?.Trim() ?? "";
        return text.Contains('@', StringComparison.Ordinal) ? Email(text) : Phone(text);
    }

    private static Contact? Email(string text)
    {
        if (UserNames.Normalise(text) is not { } name)
        {
            return null;
        }
        var at = name.IndexOf('@', StringComparison.Ordinal);
        var host = name[(at + 1)..];
        var dots = host.Split('.');
        return at > 0 && dots.Length > 1 && dots.All(static part => part.Length > 0 && part.All(static c => char.IsAsciiLetterOrDigit(c) || c == '-')) && dots[^1].Length > 1
            ? new(ContactKind.Email, name)
            : null;
    }

    private static Contact? Phone(string text)
    {
        var digits = string.Concat(text.Where(static c => !BetweenDigits.Contains(c)));
        digits = digits.StartsWith("00", StringComparison.Ordinal) ? "+" + digits[2..] : digits;
        return digits.Length is > ShortestPhone and <= LongestPhone + 1 && digits[0] == '+' && digits.AsSpan(1).IndexOfAnyExceptInRange('0', '9') < 0 && digits[1] != '0'
            ? new(ContactKind.Phone, digits)
            : null;
    }
}
