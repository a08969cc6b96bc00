using System.Collections.Frozen;
using System.Text;

namespace Subscriptions.Reminders.Texts;

/// <summary>How an SMS is carried: 3GPP TS 23.038 and 23.040.</summary>
/// <param name="IsGsm7">Every character is of the default alphabet; otherwise all are sent as UCS-2.</param>
/// <param name="Units">Septets, or 16-bit units.</param>
public readonly record struct SmsLength(bool IsGsm7, int Units)
{
    private const string Basic =
        "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

    /// <summary>Each takes an escape and itself.</summary>
    private const string Extended = "\f^{}\\[~]|€";

    private static readonly FrozenDictionary<char, int> Septets = Basic.Select(c => (c, 1)).Concat(Extended.Select(c => (c, 2))).ToFrozenDictionary(pair => pair.c, pair => pair.Item2);

    /// <summary>What fits in one; of several, each gives some room to what holds them together.</summary>
    public int InOne => IsGsm7 ? 160 : 70;

    /// <summary>SMS that are paid for.</summary>
    public int Segments => Units <= InOne ? 1 : ((Units - 1) / (IsGsm7 ? 153 : 67)) + 1;

    public static SmsLength Of(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var septets = 0;
        foreach (var c in text)
        {
            if (!Septets.TryGetValue(c, out var size))
            {
                return new(false, text.Length);
            }
            septets += size;
        }
        return new(true, septets);
    }

    /// <summary>Replaces what looks the same in the default alphabet, so that one typographic quote does not halve the room.</summary>
    public static string Simplify(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var simple = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            simple.Append(c switch
            {
                '\u00a0' or '\u202f' or '\u2009' => " ",
                '\u2018' or '\u2019' or '\u201b' or '\u2032' => "'",
                '\u201c' or '\u201d' or '\u201e' or '\u2033' or '\u00ab' or '\u00bb' => "\"",
                '\u2010' or '\u2011' or '\u2012' or '\u2013' or '\u2014' => "-",
                '\u2026' => "...",
                _ => c.ToString(),
            });
        }
        return simple.ToString();
    }
}
