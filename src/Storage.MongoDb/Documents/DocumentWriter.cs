using System.Collections.Frozen;
using FhirCore;
using FhirCore.Records;
using MongoDB.Bson;

namespace Storage.MongoDb.Documents;

/// <summary>Makes the documents of records and of journal rows.</summary>
internal sealed class DocumentWriter(FrozenSet<IndexField> ordered)
{
    /// <summary>MongoDB's own bound is 16 MiB; the rest is head room for what a document has besides body and index.</summary>
    public const int MostBytes = (16 << 20) - (64 << 10);

    /// <exception cref="RecordTooLargeException">No document holds it.</exception>
    /// <exception cref="ArgumentException">An ordered field has more than one value.</exception>
    public BsonDocument Record(StoredRecord record, int kind, ObjectId commit)
    {
        var document = new BsonDocument
        {
            { Names.Id, record.Key.ToString() },
            { Names.Partition, record.Partition },
            { Names.Version, record.Version },
            { Names.Updated, TimeText(record.LastUpdated) },
            { Names.Kind, kind },
            { Names.Commit, commit },
        };
        if (record.Deleted)
        {
            document.Add(Names.Deleted, BsonBoolean.True);
            return document;
        }
        document.Add(Names.Type, record.Key.Type);
        document.Add(Names.LocalId, record.Key.Id);
        var block = IndexEntries.FromBlock(IndexBlock.WithLastUpdated(record.Index.Block.Span, record.LastUpdated));
        AddEntries(document, record.Key, block);
        document.Add(Names.Block, Bytes(block.Block));
        document.Add(Names.Body, Bytes(record.Body));
        return document;
    }

    /// <param name="id">The sequence, or the text of a replaced internal version.</param>
    public static BsonDocument JournalRow(BsonValue id, StoredRecord record, string cause, ObjectId commit)
    {
        var document = new BsonDocument
        {
            { Names.Id, id },
            { Names.Key, record.Key.ToString() },
            { Names.Type, record.Key.Type },
            { Names.Partition, record.Partition },
            { Names.Version, record.Version },
            { Names.Updated, TimeText(record.LastUpdated) },
            { Names.Cause, cause },
            { Names.Commit, commit },
        };
        document.Add(record.Deleted ? new BsonElement(Names.Deleted, BsonBoolean.True) : new BsonElement(Names.Body, Bytes(record.Body)));
        return document;
    }

    public static BsonDocument VoidRow(long sequence) => new() { { Names.Id, sequence }, { Names.Void, BsonBoolean.True } };

    /// <summary>Text of a time, as far as a microsecond.</summary>
    public static string TimeText(DateTimeOffset at)
    {
        Span<byte> bytes = stackalloc byte[SortableTime.Length];
        SortableTime.Write(at, bytes);
        return OrderedText.Of(bytes);
    }

    /// <exception cref="RecordTooLargeException">The record's documents would be larger than the engine takes.</exception>
    public static void ThrowIfTooLarge(StoredRecord record)
    {
        long size = record.Body.Length + record.Index.Block.Length;
        foreach (var entry in record.Index)
        {
            size += record.Key.Type.Length + 24 + OrderedText.LengthOf(4 + entry.Value.Length);
        }
        if (size > MostBytes)
        {
            throw new RecordTooLargeException(record.Key, size, MostBytes);
        }
    }

    private void AddEntries(BsonDocument document, ResourceKey key, IndexEntries entries)
    {
        var found = new BsonArray();
        BsonDocument? inOrder = null;
        foreach (var (field, value) in entries)
        {
            if (field == IndexField.LastUpdated)
            {
                continue; // has an element of its own
            }
            if (!ordered.Contains(field))
            {
                found.Add(EntryText.Of(key.Type, field, value.Span));
                continue;
            }
            inOrder ??= [];
            if (inOrder.Contains(EntryText.OrderedName(field)))
            {
                throw new ArgumentException($"{key} has more than one value of a field that orders records.");
            }
            inOrder.Add(EntryText.OrderedName(field), OrderedText.Of(value.Span));
        }
        if (found.Count > 0)
        {
            document.Add(Names.Entries, found);
        }
        if (inOrder is not null)
        {
            document.Add(Names.Ordered, inOrder);
        }
    }

    private static BsonBinaryData Bytes(ReadOnlyMemory<byte> bytes) =>
        new(System.Runtime.InteropServices.MemoryMarshal.TryGetArray(bytes, out var segment) && segment.Offset == 0 && segment.Count == segment.Array!.Length
            ? segment.Array
            : bytes.ToArray());
}
