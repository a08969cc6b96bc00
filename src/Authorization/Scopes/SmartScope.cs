using System.Diagnostics.CodeAnalysis;
using FhirStore.Model;

namespace Authorization.Scopes;

public enum ScopeLevel
{
    Patient,
    User,
    System,
}

/// <summary>One SMART resource scope: <c>system/Patient.rs</c> (v2) or <c>system/Patient.read</c> (v1).</summary>
/// <param name="Type">An R4 resource type, or <see cref="AnyType"/>.</param>
/// <param name="IsV1">It was written the v1 way, and is answered that way.</param>
/// <param name="Filter">What follows the question mark of a granular scope; null without one.</param>
public readonly record struct SmartScope(ScopeLevel Level, string Type, Permissions Permissions, bool IsV1 = false, string? Filter = null)
{
    public const string AnyType = "*";
    private const Permissions V1Read = Permissions.Read | Permissions.Search;
    private const Permissions V1Write = Permissions.Create | Permissions.Update | Permissions.Delete;
    private const string Letters = "cruds";

    /// <summary>Only what is meant beyond doubt: letters out of order, unknown letters or types are no scope.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out SmartScope scope)
    {
        scope = default;
        if (text is null || text.Length > 512)
        {
            return false;
        }
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var dot = slash < 0 ? -1 : text.IndexOf('.', slash);
        if (dot < 0 || !TryParseLevel(text.AsSpan(0, slash), out var level))
        {
            return false;
        }
        var type = text[(slash + 1)..dot];
        if (type != AnyType && !R4Model.IsResourceType(type))
        {
            return false;
        }
        var question = text.IndexOf('?', dot);
        var granted = text.AsSpan(dot + 1, (question < 0 ? text.Length : question) - dot - 1);
        var filter = question < 0 ? null : text[(question + 1)..];
        if (filter is { Length: 0 } || !TryParsePermissions(granted, out var permissions, out var isV1) || (isV1 && filter is not null))
        {
            return false;
        }
        scope = new(level, type, permissions, isV1, filter);
        return true;
    }

    /// <summary>The same scope with other permissions; v1 stays v1 where v1 has a word for them.</summary>
    public SmartScope With(string type, Permissions permissions) =>
        this with { Type = type, Permissions = permissions, IsV1 = IsV1 && V1Word(permissions) is not null };

    /// <returns>The scope as it stands in a token, letters in the order SMART asks for.</returns>
    public override string ToString()
    {
        var level = Level switch
        {
            ScopeLevel.Patient => "patient",
            ScopeLevel.User => "user",
            _ => "system",
        };
        var granted = IsV1 ? V1Word(Permissions)! : LettersOf(Permissions);
        return Filter is null ? $"{level}/{Type}.{granted}" : $"{level}/{Type}.{granted}?{Filter}";
    }

    internal static string LettersOf(Permissions permissions)
    {
        Span<char> letters = stackalloc char[Letters.Length];
        var count = 0;
        for (var i = 0; i < Letters.Length; i++)
        {
            if (((int)permissions & (1 << i)) != 0)
            {
                letters[count++] = Letters[i];
            }
        }
        return new(letters[..count]);
    }

    private static string? V1Word(Permissions permissions) => permissions switch
    {
        V1Read => "read",
        V1Write => "write",
        Permissions.All => "*",
        _ => null,
    };

    private static bool TryParseLevel(ReadOnlySpan<char> text, out ScopeLevel level)
    {
        (level, var known) = text switch
        {
            "patient" => (ScopeLevel.Patient, true),
            "user" => (ScopeLevel.User, true),
            "system" => (ScopeLevel.System, true),
            _ => (default, false),
        };
        return known;
    }

    private static bool TryParsePermissions(ReadOnlySpan<char> text, out Permissions permissions, out bool isV1)
    {
        (permissions, isV1) = text switch
        {
            "read" => (V1Read, true),
            "write" => (V1Write, true),
            "*" => (Permissions.All, true),
            _ => (Permissions.None, false),
        };
        if (isV1)
        {
            return true;
        }
        var least = 0;
        foreach (var letter in text)
        {
            var place = Letters.IndexOf(letter, StringComparison.Ordinal);
            if (place < least)
            {
                return false;
            }
            permissions |= (Permissions)(1 << place);
            least = place + 1;
        }
        return permissions != Permissions.None;
    }
}
