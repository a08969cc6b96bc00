using System.Collections.Immutable;
using System.Text.Json;
using FhirCore.Records;
using FhirStore.Encryption;

namespace FhirStore.Indexing;

/// <summary>Personal dates: labels of the days of the first and the last moment; hits are checked.</summary>
internal sealed class DateIndex(string type, string name, IndexTokens tokens) : ParameterIndex, IDateIndex
{
    private readonly RangeLabels _days = new(type, name, tokens, levels: 4, DateInterval.LastDay);

    public override void Add(JsonElement element, ElementShape shape, IndexEntries.Builder entries)
    {
        if (DateInterval.Of(element, shape) is not { } date)
        {
            return;
        }
        _days.Add(date.FirstDay, entries);
        if (date.FinalDay != date.FirstDay)
        {
            _days.Add(date.FinalDay, entries);
        }
    }

    public Cover Find(Comparison comparison, DateInterval value) => comparison switch
    {
        Comparison.Eq => From(value.FirstDay, value.FinalDay), // the first moment lies within
        Comparison.Gt or Comparison.Sa => From(DateInterval.DayOf(value.End), DateInterval.LastDay),
        Comparison.Ge => From(value.FirstDay, DateInterval.LastDay),
        Comparison.Lt or Comparison.Eb => From(0, DateInterval.DayOf(value.Start)),
        Comparison.Le => From(0, value.FinalDay),
        _ => Cover.Unknown,
    };

    private Cover From(int first, int last) => new(_days.Cover(first, last), false);
}

/// <summary>Operational instants, in clear.</summary>
internal sealed class ClearInstantIndex(IndexField field) : ParameterIndex, IDateIndex
{
    private const long MicrosPerSecond = 1_000_000;

    /// <summary>One value in a record, so the engine can order by it.</summary>
    public IndexField Field { get; } = field;

    public override void Add(JsonElement element, ElementShape shape, IndexEntries.Builder entries)
    {
        if (DateInterval.Of(element, shape) is { } date)
        {
            entries.Add(Field, Bytes(date.Start));
        }
    }

    // An instant is a second long, or a part of one, and begins at a multiple of its length: where the value's own ends lie on
    // whole seconds, the instant's beginning alone decides.
    public Cover Find(Comparison comparison, DateInterval value)
    {
        if (!IsWhole(value))
        {
            return new(
                comparison switch
                {
                    Comparison.Eq => Within(value.Start, value.End),
                    Comparison.Gt or Comparison.Sa or Comparison.Ge => Within(value.Start - MicrosPerSecond, null),
                    Comparison.Lt or Comparison.Eb or Comparison.Le => Within(null, value.End),
                    _ => Predicate.Everything,
                },
                false);
        }
        return comparison switch
        {
            Comparison.Eq => new(Within(value.Start, value.End), true),
            Comparison.Ne => new(new Predicate.AnyOf([Within(null, value.Start), Within(value.End, null)]), true),
            Comparison.Gt or Comparison.Sa => new(Within(value.End, null), true),
            Comparison.Ge => new(Within(value.Start, null), true),
            Comparison.Lt or Comparison.Eb => new(Within(null, value.Start), true),
            Comparison.Le => new(Within(null, value.End), true),
            _ => Cover.Unknown,
        };
    }

    public static bool IsWhole(DateInterval value) => value.Start % MicrosPerSecond == 0 && value.End % MicrosPerSecond == 0;

    private Predicate Within(long? from, long? to) =>
        to <= 0 ? Predicate.Nothing : new Predicate.Between(Field, Bytes(Math.Max(0, from ?? 0)), to is { } end ? Bytes(end) : default);

    public static byte[] Bytes(long micros)
    {
        var bytes = new byte[SortableTime.Length];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes, micros);
        return bytes;
    }
}

/// <summary>Operational periods of which a resource has at most one, in clear: start and end.</summary>
internal sealed class ClearPeriodIndex(string type, string name) : ParameterIndex, IDateIndex
{
    private readonly IndexField _start = IndexField.Of($"{type}.{name}:start");
    private readonly IndexField _end = IndexField.Of($"{type}.{name}:end");

    public override void Add(JsonElement element, ElementShape shape, IndexEntries.Builder entries)
    {
        if (DateInterval.Of(element, shape) is { } date)
        {
            entries.Add(_start, ClearInstantIndex.Bytes(date.Start));
            entries.Add(_end, ClearInstantIndex.Bytes(date.End));
        }
    }

    public Cover Find(Comparison comparison, DateInterval value)
    {
        // start ≥ and end ≤: end < To means end ≤ To - 1.
        var inside = All(StartFrom(value.Start), EndBelow(value.End + 1));
        return comparison switch
        {
            Comparison.Eq => new(inside, true),
            Comparison.Ne => new(All(new Predicate.Present(_start), new Predicate.Not(inside)), true),
            Comparison.Gt => new(EndFrom(value.End + 1), true),
            Comparison.Lt => new(StartBelow(value.Start), true),
            Comparison.Ge => new(new Predicate.AnyOf([inside, EndFrom(value.End + 1)]), true),
            Comparison.Le => new(new Predicate.AnyOf([inside, StartBelow(value.Start)]), true),
            Comparison.Sa => new(StartFrom(value.End), true),
            Comparison.Eb => new(EndBelow(value.Start + 1), true),
            _ => Cover.Unknown,
        };
    }

    private static Predicate.AllOf All(params ImmutableArray<Predicate> parts) => new(parts);

    private Predicate.Between StartFrom(long micros) => new(_start, ClearInstantIndex.Bytes(micros), default);

    private Predicate.Between StartBelow(long micros) => new(_start, ClearInstantIndex.Bytes(0), ClearInstantIndex.Bytes(micros));

    private Predicate.Between EndFrom(long micros) => new(_end, ClearInstantIndex.Bytes(micros), default);

    private Predicate.Between EndBelow(long micros) => new(_end, ClearInstantIndex.Bytes(0), ClearInstantIndex.Bytes(micros));
}
