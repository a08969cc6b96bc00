using System.Collections.Immutable;
using System.Text.Json;
using FhirCore.Records;
using FhirStore.Indexing;

namespace FhirStore.Search;

/// <summary>What a resource is sorted by: a number, a text, or nothing, which comes last in both directions.</summary>
internal readonly record struct SortValue(decimal? Number, string? Text)
{
    private bool IsMissing => Number is null && Text is null;

    /// <summary>Of several values the smallest, or the largest for descending order.</summary>
    public static SortValue Of(SortKey key, StoredRecord record, JsonElement resource)
    {
        switch (key.Parameter.Name)
        {
            case "_id":
                return new(null, record.Key.Id);
            case "_lastUpdated":
                return new(record.LastUpdated.UtcTicks, null);
            default:
                var visitor = new Visitor(key);
                key.Parameter.Visit(resource, ref visitor);
                return visitor.Best;
        }
    }

    public static int Compare(ReadOnlySpan<SortValue> a, string idA, ReadOnlySpan<SortValue> b, string idB, ImmutableArray<SortKey> keys)
    {
        for (var i = 0; i < keys.Length; i++)
        {
            if (a[i].IsMissing != b[i].IsMissing)
            {
                return a[i].IsMissing ? 1 : -1;
            }
            var compared = Compare(a[i], b[i]);
            if (compared != 0)
            {
                return keys[i].Descending ? -compared : compared;
            }
        }
        return string.CompareOrdinal(idA, idB);
    }

    private static int Compare(SortValue a, SortValue b) =>
        a.Number is { } x && b.Number is { } y ? x.CompareTo(y) : string.CompareOrdinal(a.Text, b.Text);

    private struct Visitor(SortKey key) : IElementVisitor, ITokenVisitor, IStringVisitor
    {
        public SortValue Best { get; private set; }

        public bool Visit(JsonElement element, ElementShape shape)
        {
            switch (key.Parameter.Kind)
            {
                case SearchKind.String:
                    TextParts.Visit(element, shape, ref this);
                    break;
                case SearchKind.Token:
                    TokenReader.Visit(element, shape, ref this);
                    break;
                case SearchKind.Date when DateInterval.Of(element, shape) is { } date:
                    Offer(new(date.Start, null));
                    break;
                case SearchKind.Number or SearchKind.Quantity when NumberInterval.Of(element, shape) is { } number:
                    Offer(new(number.Low, null));
                    break;
                case SearchKind.Reference or SearchKind.Uri when ReferenceText.Of(element, shape) is { } text:
                    Offer(new(null, text));
                    break;
                default:
                    break;
            }
            return false;
        }

        // By code, then system: codes of several systems mix in one list.
        public bool Visit(JsonElement system, JsonElement code)
        {
            var text = code.ValueKind switch { JsonValueKind.String => code.GetString(), JsonValueKind.True => "true", JsonValueKind.False => "false", _ => "" };
            Offer(new(null, $"{text}\0{(system.ValueKind == JsonValueKind.String ? system.GetString() : "")}"));
            return false;
        }

        public bool Visit(string text)
        {
            Offer(new(null, TextFolding.Fold(text)));
            return false;
        }

        private void Offer(SortValue value)
        {
            if (Best.IsMissing || (key.Descending ? Compare(value, Best) > 0 : Compare(value, Best) < 0))
            {
                Best = value;
            }
        }
    }
}
