using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using FhirCore;

namespace Auditing.Entries;

/// <summary>
/// Which patients a body or a query names. It looks for references as bytes and builds no tree: this runs for every answer. A text that
/// reads like a reference counts as one; an audit trail rather names a patient too many than one too few.
/// </summary>
public static class PatientsNamed
{
    /// <summary>More than a page of a search can hold; what is beyond it is not named.</summary>
    public const int Most = 2_000;

    private static readonly SearchValues<byte> IdBytes =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."u8);

    /// <param name="json">Relative references and absolute addresses both count.</param>
    public static void In(ReadOnlySpan<byte> json, ref PatientList found)
    {
        while (true)
        {
            var at = json.IndexOf("Patient/"u8);
            if (at < 0)
            {
                return;
            }
            var isReference = at > 0 && json[at - 1] is (byte)'"' or (byte)'/';
            json = json[(at + "Patient/".Length)..];
            if (!isReference)
            {
                continue;
            }
            var length = json.IndexOfAnyExcept(IdBytes);
            length = length < 0 ? json.Length : length;
            if (length is > 0 and <= 64)
            {
                found.Add(json[..length]);
            }
            json = json[length..];
        }
    }

    /// <param name="type">Type that is searched.</param>
    public static void In(string? type, ImmutableArray<KeyValuePair<string, string>> query, ref PatientList found)
    {
        foreach (var (name, value) in query)
        {
            var isPatient = name is "patient" or "patient:Patient" or "subject:Patient" || (type == "Patient" && name == "_id");
            if (!isPatient && !value.Contains("Patient/", StringComparison.Ordinal))
            {
                continue;
            }
            foreach (var part in value.Split(','))
            {
                var slash = part.LastIndexOf("Patient/", StringComparison.Ordinal);
                var id = slash >= 0 ? part[(slash + "Patient/".Length)..] : isPatient ? part : null;
                if (FhirIds.IsValid(id))
                {
                    found.Add(id);
                }
            }
        }
    }
}

/// <summary>Ids without repeats, in the order found.</summary>
public struct PatientList
{
    private const int Few = 16;

    private List<string>? _ids;
    private HashSet<string>? _known;

    public readonly IReadOnlyList<string> Ids => _ids ?? (IReadOnlyList<string>)[];

    public void Add(string id)
    {
        if (_known is null ? _ids?.Contains(id) is not true : !_known.Contains(id))
        {
            Keep(id);
        }
    }

    public void Add(ReadOnlySpan<byte> id)
    {
        Span<char> chars = stackalloc char[64];
        var text = chars[..Encoding.ASCII.GetChars(id, chars)];
        if (_known is not null)
        {
            if (!_known.GetAlternateLookup<ReadOnlySpan<char>>().Contains(text))
            {
                Keep(text.ToString());
            }
            return;
        }
        foreach (var known in _ids ?? [])
        {
            if (text.SequenceEqual(known))
            {
                return;
            }
        }
        Keep(text.ToString());
    }

    private void Keep(string id)
    {
        _ids ??= [];
        if (_ids.Count == PatientsNamed.Most)
        {
            return;
        }
        _ids.Add(id);
        _known?.Add(id);
        if (_known is null && _ids.Count == Few)
        {
            _known = new(_ids, StringComparer.Ordinal);
        }
    }
}
