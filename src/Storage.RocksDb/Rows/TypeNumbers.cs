using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Text;
using FhirCore.Records;
using Storage.RocksDb.Native;

namespace Storage.RocksDb.Rows;

/// <summary>The numbers that stand for record types in keys: given once, when a type is first written, and kept in the store.</summary>
internal sealed class TypeNumbers
{
    private readonly FrozenDictionary<string, ushort> _numbers;
    private readonly FrozenDictionary<ushort, string> _names;

    private TypeNumbers(Dictionary<string, ushort> numbers)
    {
        _numbers = numbers.ToFrozenDictionary(StringComparer.Ordinal);
        _names = numbers.ToFrozenDictionary(n => n.Value, n => n.Key);
    }

    public int Count => _numbers.Count;

    public IEnumerable<string> Names => _numbers.Keys;

    public static TypeNumbers Read(Engine engine)
    {
        var numbers = new Dictionary<string, ushort>(StringComparer.Ordinal);
        using var rows = new RowIterator(engine, Family.Types, 0, [], []);
        for (rows.First(); rows.Valid; rows.Next())
        {
            if (rows.Key.Length != 2 || rows.Value.IsEmpty)
            {
                throw new StoreCorruptException("The table of record types cannot be read.");
            }
            numbers.Add(Encoding.UTF8.GetString(rows.Value), BinaryPrimitives.ReadUInt16BigEndian(rows.Key));
        }
        return new(numbers);
    }

    public bool TryGet(string type, out ushort number) => _numbers.TryGetValue(type, out number);

    public string NameOf(ushort number) =>
        _names.TryGetValue(number, out var name) ? name : throw new StoreCorruptException($"A row names record type {number}, which the store does not know.");

    public TypeNumbers With(string type, ushort number) => new(new(_numbers, StringComparer.Ordinal) { [type] = number });
}
