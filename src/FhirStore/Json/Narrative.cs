using System.Buffers;
using System.Text;
using FhirStore.Model;

namespace FhirStore.Json;

/// <summary>
/// XHTML of a narrative, https://hl7.org/fhir/R4/narrative.html#xhtml: one well-formed div without anything that runs, loads or submits.
/// A browser that shows it must be able to trust it, so what is not understood is refused.
/// </summary>
internal ref struct Narrative
{
    private const string NotWellFormed = "is one well-formed XHTML div element";
    private const string Active = "holds no scripts, event attributes, forms, frames, objects or external styles";

    /// <summary>Elements that are open, as start and length of their names. Real narratives nest under 20.</summary>
    private const int Deepest = 100;

    private const int LongestForbidden = 8;
    private static readonly Utf8Table<string> Forbidden = new(
        ["script", "style", "link", "base", "meta", "html", "head", "body", "form", "input", "button", "select", "textarea", "frame", "frameset", "iframe", "object", "embed", "applet", "svg", "math"],
        static name => name);

    private static readonly SearchValues<byte> White = SearchValues.Create(" \t\r\n"u8);
    private static readonly SearchValues<byte> NameEnd = SearchValues.Create(" \t\r\n/>=<\"'"u8);

    private readonly ReadOnlySpan<byte> _text;
    private readonly Span<(int Start, int Length)> _open;
    private int _at;
    private int _depth;

    private Narrative(ReadOnlySpan<byte> text, Span<(int Start, int Length)> open)
    {
        _text = text;
        _open = open;
    }

    /// <returns>Null where it is right, else what is allowed.</returns>
    public static string? Wrong(ReadOnlySpan<byte> text)
    {
        Span<(int Start, int Length)> open = stackalloc (int, int)[Deepest];
        var trimmed = text.Trim(" \t\r\n"u8);
        return new Narrative(trimmed, open).Read();
    }

    private string? Read()
    {
        var isFirst = true;
        while (_at < _text.Length)
        {
            var next = _text[_at..].IndexOfAny((byte)'<', (byte)'&');
            if (isFirst ? next != 0 || _text[_at] == (byte)'&' : next < 0)
            {
                return NotWellFormed;
            }
            _at += next;
            var wrong = _text[_at] == (byte)'&' ? Entity() : Markup(isFirst);
            if (wrong is not null)
            {
                return wrong;
            }
            isFirst = false;
            if (_depth == 0)
            {
                // The root has closed: nothing may follow.
                return _at == _text.Length ? null : NotWellFormed;
            }
        }
        return NotWellFormed;
    }

    private string? Entity()
    {
        var end = _text[_at..].IndexOf((byte)';');
        if (end < 2 || end > 32)
        {
            return NotWellFormed;
        }
        var name = _text.Slice(_at + 1, end - 1);
        if (name[0] == (byte)'#')
        {
            name = name[1..];
        }
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit((char)c))
            {
                return NotWellFormed;
            }
        }
        _at += end + 1;
        return null;
    }

    private string? Markup(bool isFirst)
    {
        var rest = _text[_at..];
        if (rest.StartsWith("<!--"u8))
        {
            var end = rest[4..].IndexOf("-->"u8);
            _at += end + 7;
            return isFirst || end < 0 ? NotWellFormed : null;
        }
        if (rest.Length < 2 || rest[1] is (byte)'!' or (byte)'?')
        {
            return NotWellFormed;
        }
        return rest[1] == (byte)'/' ? Close() : Open(isFirst);
    }

    private string? Close()
    {
        var rest = _text[(_at + 2)..];
        var end = rest.IndexOf((byte)'>');
        if (end < 0 || _depth == 0)
        {
            return NotWellFormed;
        }
        var (start, length) = _open[--_depth];
        _at += end + 3;
        return rest[..end].TrimEnd(" \t\r\n"u8).SequenceEqual(_text.Slice(start, length)) ? null : NotWellFormed;
    }

    private string? Open(bool isFirst)
    {
        var start = ++_at;
        var name = Name();
        if (name.IsEmpty || _depth == Deepest || (isFirst && !name.SequenceEqual("div"u8)))
        {
            return NotWellFormed;
        }
        if (IsForbidden(name))
        {
            return Active;
        }
        while (true)
        {
            var before = _at;
            SkipWhite();
            var rest = _text[_at..];
            if (rest.StartsWith(">"u8))
            {
                _at++;
                _open[_depth++] = (start, name.Length);
                return null;
            }
            if (rest.StartsWith("/>"u8))
            {
                _at += 2;
                return null;
            }
            if (before == _at)
            {
                return NotWellFormed;
            }
            if (Attribute() is { } wrong)
            {
                return wrong;
            }
        }
    }

    private string? Attribute()
    {
        var name = Name();
        SkipWhite();
        if (name.IsEmpty || !_text[_at..].StartsWith("="u8))
        {
            return NotWellFormed;
        }
        _at++;
        SkipWhite();
        if (_at >= _text.Length || _text[_at] is not ((byte)'"' or (byte)'\''))
        {
            return NotWellFormed;
        }
        var length = _text[(_at + 1)..].IndexOf(_text[_at]);
        if (length < 0)
        {
            return NotWellFormed;
        }
        var value = _text.Slice(_at + 1, length);
        _at += length + 2;
        if (value.Contains((byte)'<'))
        {
            return NotWellFormed;
        }
        return IsEvent(name) || (HoldsUrl(name) && IsScriptUrl(value)) ? Active : null;
    }

    private ReadOnlySpan<byte> Name()
    {
        var length = _text[_at..].IndexOfAny(NameEnd);
        var name = length < 0 ? [] : _text.Slice(_at, length);
        _at += name.Length;
        return name;
    }

    private void SkipWhite()
    {
        var white = _text[_at..].IndexOfAnyExcept(White);
        _at = white < 0 ? _text.Length : _at + white;
    }

    private static bool IsEvent(ReadOnlySpan<byte> name) => name.Length > 2 && (name[0] | 0x20) == 'o' && (name[1] | 0x20) == 'n';

    private static bool HoldsUrl(ReadOnlySpan<byte> name) =>
        Ascii.EqualsIgnoreCase(name, "href"u8) || Ascii.EqualsIgnoreCase(name, "src"u8) || name.Contains((byte)':') ||
        Ascii.EqualsIgnoreCase(name, "cite"u8) || Ascii.EqualsIgnoreCase(name, "longdesc"u8) || Ascii.EqualsIgnoreCase(name, "background"u8);

    /// <summary>
    /// Browsers skip white space and control characters in a scheme, and read entities: none may stand where a scheme could.
    /// </summary>
    private static bool IsScriptUrl(ReadOnlySpan<byte> value)
    {
        var scheme = "javascript:"u8;
        var matched = 0;
        foreach (var c in value)
        {
            if (c <= ' ')
            {
                continue;
            }
            if (c == (byte)'&')
            {
                return true;
            }
            if ((c is >= (byte)'A' and <= (byte)'Z' ? c | 0x20 : c) != scheme[matched])
            {
                return false;
            }
            if (++matched == scheme.Length)
            {
                return true;
            }
        }
        return false;
    }

    private static bool IsForbidden(ReadOnlySpan<byte> name)
    {
        Span<byte> lower = stackalloc byte[LongestForbidden];
        return name.Length <= LongestForbidden && Ascii.ToLower(name, lower, out var length) == OperationStatus.Done && Forbidden.Find(lower[..length]) is not null;
    }
}
