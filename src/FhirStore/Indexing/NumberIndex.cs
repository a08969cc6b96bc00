using System.Text.Json;
using FhirCore.Records;
using FhirStore.Encryption;

namespace FhirStore.Indexing;

/// <summary>Numbers by magnitude: labels of the quarter of an octave they lie in; hits, and units, are checked.</summary>
internal sealed class NumberIndex(string type, string name, IndexTokens tokens) : ParameterIndex
{
    private const double PerOctave = 4;
    private const int Zero = 1024;
    private const int Largest = 2 * Zero;
    private readonly RangeLabels _labels = new(type, name, tokens, levels: 2, Largest);

    public override void Add(JsonElement element, ElementShape shape, IndexEntries.Builder entries)
    {
        if (NumberInterval.Of(element, shape) is not { } number)
        {
            return;
        }
        var (low, high) = (Bucket(number.Low), Bucket(number.High));
        _labels.Add(low, entries);
        if (high != low)
        {
            _labels.Add(high, entries);
        }
    }

    /// <summary>Numbers whose lower or upper end lies between these, both included.</summary>
    // One bucket to either side makes up for rounding.
    public Cover Find(decimal from, decimal to) => new(_labels.Cover(Bucket(from) - 1, Bucket(to) + 1), false);

    /// <summary>Grows with the number; 0 is in the middle.</summary>
    private static int Bucket(decimal number)
    {
        if (number == 0)
        {
            return Zero;
        }
        // Octaves from -94 to 96 fit decimal's range.
        var magnitude = (int)Math.Floor((Math.Log2((double)Math.Abs(number)) + 97) * PerOctave) + 1;
        magnitude = Math.Clamp(magnitude, 1, Zero);
        return number < 0 ? Zero - magnitude : Zero + magnitude;
    }
}
