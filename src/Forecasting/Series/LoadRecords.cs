using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using FhirCore;
using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Sealed;

namespace Forecasting.Series;

/// <summary>A month of one key's visits, as stored. See <see cref="MonthCounts"/> for what the numbers are.</summary>
/// <param name="Month">Year × 12 + month − 1.</param>
internal sealed record LoadMonth(string? Practitioner, string? Service, string? Type, string? Location, int Month, ImmutableArray<int> Visits, ImmutableArray<int> Leads)
{
    [JsonIgnore]
    public LoadKey Key => new(Practitioner, Service, Type, Location);
}

/// <summary>What has been counted of one appointment, so that exactly that is taken back.</summary>
/// <param name="Version">Of the appointment.</param>
internal sealed record CountedAppointment(long Version, ImmutableArray<CountedVisit> Visits);

/// <param name="Key">Token of the <see cref="LoadKey"/>.</param>
/// <param name="Day">As <see cref="DateOnly.DayNumber"/>.</param>
internal readonly record struct CountedVisit(string Key, int Day, int Hour, VisitState State, int? Lead);

/// <summary>Whether everything is to be counted again, and how far that has come.</summary>
/// <param name="Wanted">Grows each time there is a cause.</param>
/// <param name="Done">Value of <paramref name="Wanted"/> that the last complete recount began with.</param>
/// <param name="Running">Value that the one under way began with.</param>
/// <param name="Deletions">It has come to what no longer exists.</param>
/// <param name="After">Id of the last appointment looked at.</param>
internal sealed record RecountState(long Wanted, long Done, long Running, bool Deletions, string? After)
{
    public const string Id = "state";

    public static ResourceKey Key { get; } = new(LoadRecords.RecountType, Id);

    /// <summary>Of a store that was never counted.</summary>
    public static RecountState First { get; } = new(1, 0, 0, false, null);
}

/// <summary>A place, role or schedule that was looked for when visits were counted, and was not there. When it comes, they count otherwise.</summary>
internal sealed record MissingEntry(string Reference);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LoadMonth))]
[JsonSerializable(typeof(CountedAppointment))]
[JsonSerializable(typeof(RecountState))]
[JsonSerializable(typeof(MissingEntry))]
internal sealed partial class LoadJson : JsonSerializerContext;

/// <summary>
/// The records of the series: a month of a key in each (<c>_Load</c>), one for each appointment that is counted (<c>_LoadCount</c>), one
/// for each directory entry that was missing (<c>_LoadMissing</c>), and where a recount stands (<c>_LoadRecount</c>). All sealed under the tenant's key: no patient is named in them.
/// </summary>
internal sealed class LoadRecords
{
    public const string MonthType = "_Load";
    public const string CountType = "_LoadCount";
    public const string RecountType = "_LoadRecount";
    public const string MissingType = "_LoadMissing";

    private const int TokenLength = 16;
    private static readonly IndexField Month = IndexField.Of("month");
    private static readonly IndexField Practitioner = IndexField.Of("practitioner-month");
    private static readonly IndexField Service = IndexField.Of("service-month");
    private static readonly IndexField Type = IndexField.Of("type-month");
    private static readonly IndexField Location = IndexField.Of("location-month");

    private readonly IndexTokenKey _tokens;

    public LoadRecords(IRecordStore records, RecordCipher cipher, IndexTokens tokens, TimeProvider clock)
    {
        _tokens = tokens.KeyFor(MonthType);
        Months = new(records, cipher, clock, MonthType, LoadJson.Default.LoadMonth, Index);
        Counts = new(records, cipher, clock, CountType, LoadJson.Default.CountedAppointment, static (_, _) => { });
        Recounts = new(records, cipher, clock, RecountType, LoadJson.Default.RecountState, static (_, _) => { });
        Missing = new(records, cipher, clock, MissingType, LoadJson.Default.MissingEntry, static (_, _) => { });
    }

    public SealedRecords<LoadMonth> Months { get; }

    /// <summary>By the appointment's id.</summary>
    public SealedRecords<CountedAppointment> Counts { get; }

    public SealedRecords<RecountState> Recounts { get; }

    /// <summary>By <see cref="MissingId"/>.</summary>
    public SealedRecords<MissingEntry> Missing { get; }

    public static int MonthOf(DateOnly day) => (day.Year * 12) + day.Month - 1;

    public static DateOnly FirstDayOf(int month) => new(month / 12, (month % 12) + 1, 1);

    public string TokenOf(LoadKey key) => Convert.ToHexStringLower(Token(key.Text));

    public string MissingId(ResourceKey entry) => Convert.ToHexStringLower(Token(entry.ToString()));

    public static string MonthId(string keyToken, int month) => string.Create(CultureInfo.InvariantCulture, $"{keyToken}.{month}");

    /// <summary>Months of all keys with this part.</summary>
    /// <param name="to">Included.</param>
    public Predicate Between(LoadPart part, string? value, int from, int to) => part == LoadPart.Any
        ? new Predicate.Between(Month, Bytes(from), Bytes(to + 1))
        : new Predicate.Between(FieldOf(part), Bytes(value!, from), Bytes(value!, to + 1));

    private void Index(LoadMonth month, IndexEntries.Builder entries)
    {
        entries.Add(Month, Bytes(month.Month));
        Add(Practitioner, month.Practitioner);
        Add(Service, month.Service);
        Add(Type, month.Type);
        Add(Location, month.Location);

        void Add(IndexField field, string? value)
        {
            if (value is not null)
            {
                entries.Add(field, Bytes(value, month.Month));
            }
        }
    }

    private static IndexField FieldOf(LoadPart part) => part switch
    {
        LoadPart.Practitioner => Practitioner,
        LoadPart.Service => Service,
        LoadPart.Type => Type,
        LoadPart.Location => Location,
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, "Has no field of its own."),
    };

    private byte[] Bytes(string value, int month)
    {
        var bytes = new byte[TokenLength + sizeof(int)];
        _tokens.Token(value, bytes.AsSpan(0, TokenLength));
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(TokenLength), month);
        return bytes;
    }

    private static byte[] Bytes(int month)
    {
        var bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, month);
        return bytes;
    }

    private byte[] Token(string text)
    {
        var token = new byte[TokenLength];
        _tokens.Token(text, token);
        return token;
    }
}

/// <summary>A part of a <see cref="LoadKey"/>.</summary>
internal enum LoadPart
{
    Any,
    Practitioner,
    Service,
    Type,
    Location,
}
