using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace FhirCore;

/// <summary>Logical ids, https://hl7.org/fhir/R4/datatypes.html#id: 1 to 64 of A-Z, a-z, 0-9, '-' and '.'.</summary>
public static class FhirIds
{
    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.");

    public static bool IsValid([NotNullWhen(true)] string? id) =>
        id is { Length: >= 1 and <= 64 } && id.AsSpan().IndexOfAnyExcept(Allowed) < 0;

    /// <summary>A new id the server assigns: UUIDv7, so that ids made later sort later.</summary>
    public static string New(TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        return Guid.CreateVersion7(clock.GetUtcNow()).ToString("D");
    }

    internal static bool ContainsOnlyAsciiLetters(this ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetter(c))
            {
                return false;
            }
        }
        return true;
    }
}
