using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FhirCore;
using FhirCore.Records;
using FhirStore.Encryption;

namespace FhirServer.Commands;

/// <summary>
/// How far each file has come, by its content: a killed import goes on where it stopped, and a file that is in already is passed over,
/// whatever its name is now. The mark is written in the same commit as what it counts.
/// </summary>
internal sealed class ImportJournal(IRecordStore records, IndexTokens tokens, TimeProvider clock)
{
    private const string RecordType = "_Import";
    private readonly IndexTokenKey _key = tokens.KeyFor(RecordType);

    public async Task<Mark> OpenAsync(string path, CancellationToken ct)
    {
        byte[] hash;
        await using (var file = File.OpenRead(path))
        {
            hash = await SHA256.HashDataAsync(file, ct);
        }
        // A keyed token: the plain hash would tell a reader of the disk whether a file he holds was imported.
        var token = new byte[16];
        _key.Token(hash, token);
        var key = new ResourceKey(RecordType, Convert.ToHexStringLower(token));
        var record = await records.GetAsync(key, ct);
        return new(key, record?.Version ?? 0, record is null ? 0 : long.Parse(Encoding.ASCII.GetString(record.Body.Span), CultureInfo.InvariantCulture), clock);
    }

    public Task CommitAsync(RecordWrite write, CancellationToken ct) => records.CommitAsync(Commit.Of(write), ct);

    /// <summary>Where one file stands. The count of lines is no secret, so it is the body as it is.</summary>
    public sealed class Mark(ResourceKey key, long version, long done, TimeProvider clock)
    {
        /// <summary>Lines of NDJSON, or 1 for a whole Bundle.</summary>
        public long Done { get; private set; } = done;

        /// <returns>The write that moves the mark; <see cref="Moved"/> once it is committed.</returns>
        public RecordWrite MoveTo(long count) => new(
            new()
            {
                Key = key,
                Version = version + 1,
                LastUpdated = clock.GetUtcNow(),
                Partition = key.Id,
                Body = Encoding.ASCII.GetBytes(count.ToString(CultureInfo.InvariantCulture)),
            },
            Expected: version,
            Journal: false,
            Cause: "import");

        public void Moved(long count)
        {
            version++;
            Done = count;
        }
    }
}
