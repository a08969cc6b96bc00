using FhirStore.Model;

namespace FhirStore.Json;

/// <summary>Finds what a client probably meant by a name that R4 does not have.</summary>
internal static class NameHints
{
    private const int LongestName = 64;

    /// <returns>A sentence to append, or nothing.</returns>
    public static string ForElement(TypeModel type, string name)
    {
        if (type.ByPathName(name) is [{ IsChoice: true }, ..] choices)
        {
            var some = string.Join(", ", choices.Take(4).Select(c => c.JsonName));
            return $" It is a choice: use one of {some}{(choices.Count > 4 ? "…" : "")}.";
        }
        return Nearest(name, type.Elements.Select(e => e.JsonName)) is { } near ? $" Did you mean {near}?" : "";
    }

    public static string ForResourceType(string name) => Nearest(name, R4Model.ResourceTypes) is { } near ? $" Did you mean {near}?" : "";

    /// <summary>Whether a name that came in a body may stand in an expression or a message: element names may, anything else may be data.</summary>
    public static bool LooksLikeName(string name) =>
        name.Length is > 0 and <= LongestName && char.IsAsciiLetter(name[0] == '_' && name.Length > 1 ? name[1] : name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    private static string? Nearest(string name, IEnumerable<string> known)
    {
        if (name.Length > LongestName)
        {
            return null;
        }
        // A short name is near to everything: one change in three letters, two in six.
        var nearest = Math.Min(2, name.Length / 3) + 1;
        string? found = null;
        foreach (var candidate in known)
        {
            var distance = string.Equals(candidate, name, StringComparison.OrdinalIgnoreCase) ? 0
                : string.Equals(candidate, name + "s", StringComparison.Ordinal) || string.Equals(candidate + "s", name, StringComparison.Ordinal) ? 1
                : Distance(name, candidate, nearest);
            if (distance < nearest)
            {
                (nearest, found) = (distance, candidate);
            }
        }
        return found;
    }

    /// <summary>Changes, insertions and deletions between the two; at least <paramref name="limit"/> where their lengths alone say so.</summary>
    private static int Distance(string left, string right, int limit)
    {
        if (Math.Abs(left.Length - right.Length) >= limit)
        {
            return limit;
        }
        Span<int> row = stackalloc int[right.Length + 1];
        for (var j = 0; j <= right.Length; j++)
        {
            row[j] = j;
        }
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var change = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }
}
