using FhirCore;
using FhirCore.Records;
using MongoDB.Bson;
using MongoDB.Bson.IO;
using MongoDB.Bson.Serialization;
using MongoDB.Bson.Serialization.Serializers;

namespace Storage.MongoDb.Documents;

/// <summary>A document of <c>records</c> or <c>journal</c>, as far as a question asked for it.</summary>
internal sealed class Row
{
    /// <summary>Of a journal row; 0 for other documents.</summary>
    public long Sequence { get; set; }

    public string? Key { get; set; }

    public long Version { get; set; }

    public string? Updated { get; set; }

    public string? Partition { get; set; }

    public bool Deleted { get; set; }

    public byte[]? Block { get; set; }

    public byte[]? Body { get; set; }

    public string? Cause { get; set; }

    public ObjectId Commit { get; set; }

    public bool IsVoid { get; set; }

    /// <summary>Of a journal row: its version is gone from history.</summary>
    public bool IsHidden { get; set; }

    public ResourceKey ResourceKey
    {
        get
        {
            var slash = Key?.LastIndexOf('/') ?? -1;
            try
            {
                return slash > 0 ? new(Key![..slash], Key[(slash + 1)..]) : throw Damaged("key");
            }
            catch (ArgumentException e)
            {
                throw Damaged("key", e);
            }
        }
    }

    public DateTimeOffset LastUpdated
    {
        get
        {
            var bytes = Updated is null ? null : OrderedText.Bytes(Updated);
            try
            {
                return bytes is { Length: SortableTime.Length } ? SortableTime.Decode(bytes) : throw Damaged("time");
            }
            catch (ArgumentOutOfRangeException e)
            {
                throw Damaged("time", e);
            }
        }
    }

    /// <exception cref="StoreCorruptException">The document lacks what every record has.</exception>
    public StoredRecord ToRecord()
    {
        if (Version < 1 || Partition is null || Body is null != Deleted || !IndexBlock.IsWhole(Block))
        {
            throw Damaged("record");
        }
        return new()
        {
            Key = ResourceKey,
            Version = Version,
            LastUpdated = LastUpdated,
            Deleted = Deleted,
            Partition = Partition,
            Body = Body,
            Index = IndexEntries.FromBlock(Block),
        };
    }

    /// <exception cref="StoreCorruptException">The document lacks what every change row has.</exception>
    public ChangeRow ToChange() => Version < 1 || Partition is null || Cause is null
        ? throw Damaged("change row")
        : new(Sequence, ResourceKey, Version, LastUpdated, Deleted, Partition, Cause);

    public static StoreCorruptException Damaged(string what, Exception? inner = null) =>
        new($"A document cannot be read: its {what} is not what was written.", inner);
}

/// <summary>Reads documents straight off the wire into <see cref="Row"/>; elements it does not know are passed over.</summary>
internal sealed class RowReader : SerializerBase<Row>
{
    public static readonly RowReader ForRecords = new(journal: false);
    public static readonly RowReader ForJournal = new(journal: true);

    private readonly bool _journal;

    private RowReader(bool journal) => _journal = journal;

    public override Row Deserialize(BsonDeserializationContext context, BsonDeserializationArgs args)
    {
        var reader = context.Reader;
        var row = new Row();
        reader.ReadStartDocument();
        for (var type = reader.ReadBsonType(); type != BsonType.EndOfDocument; type = reader.ReadBsonType())
        {
            Read(reader, reader.ReadName(Utf8NameDecoder.Instance), type, row);
        }
        reader.ReadEndDocument();
        return row;
    }

    private void Read(IBsonReader reader, string name, BsonType type, Row row)
    {
        switch (name)
        {
            case Names.Id when !_journal:
                row.Key = Text(reader, type);
                break;
            case Names.Id when type == BsonType.String:
                reader.SkipValue(); // a replaced internal version: its key stands in an element of its own
                break;
            case Names.Id:
                row.Sequence = Number(reader, type);
                break;
            case Names.Block when !_journal:
                row.Block = Binary(reader, type);
                break;
            case Names.Key:
                row.Key = Text(reader, type);
                break;
            case Names.Version:
                row.Version = Number(reader, type);
                break;
            case Names.Updated:
                row.Updated = Text(reader, type);
                break;
            case Names.Partition:
                row.Partition = Text(reader, type);
                break;
            case Names.Deleted:
                row.Deleted = Truth(reader, type);
                break;
            case Names.Body:
                row.Body = Binary(reader, type);
                break;
            case Names.Cause:
                row.Cause = Text(reader, type);
                break;
            case Names.Commit when type == BsonType.ObjectId:
                row.Commit = reader.ReadObjectId();
                break;
            case Names.Hidden when _journal:
                row.IsHidden = true;
                reader.SkipValue();
                break;
            case Names.Void:
                row.IsVoid = Truth(reader, type);
                break;
            default:
                reader.SkipValue();
                break;
        }
    }

    private static string Text(IBsonReader reader, BsonType type) => type == BsonType.String ? reader.ReadString() : throw Row.Damaged("text");

    private static bool Truth(IBsonReader reader, BsonType type) => type == BsonType.Boolean ? reader.ReadBoolean() : throw Row.Damaged("flag");

    private static byte[] Binary(IBsonReader reader, BsonType type) => type == BsonType.Binary ? reader.ReadBinaryData().Bytes : throw Row.Damaged("bytes");

    private static long Number(IBsonReader reader, BsonType type) => type switch
    {
        BsonType.Int64 => reader.ReadInt64(),
        BsonType.Int32 => reader.ReadInt32(),
        _ => throw Row.Damaged("number"),
    };
}
