using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using FhirCore.Records;
using MongoDB.Bson;
using MongoDB.Driver;
using Storage.Contract;
using Storage.MongoDb.Documents;
using Tests.Shared;

namespace Storage.MongoDb.Tests;

/// <summary>What a start refuses, in one clear line that gives nothing away.</summary>
public sealed class OpeningTests
{
    /// <param name="seconds">Long where there is an answer, which a busy machine may give late.</param>
    private static MongoDbOptions At(string uri, int seconds = 20) => new() { ConnectionString = uri, Database = "x", OperationTimeout = TimeSpan.FromSeconds(seconds) };

    private static async Task<string> RefusalAsync(MongoDbOptions options)
    {
        var refused = await Assert.ThrowsAsync<StoreUnavailableException>(() => MongoDbRecordStore.OpenAsync(options, TimeProvider.System, null, default));
        Assert.DoesNotContain('\n', refused.Message);
        Assert.DoesNotContain("127.0.0.1", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", refused.Message, StringComparison.Ordinal);
        return refused.Message;
    }

    [Fact]
    public async Task Open_Standalone_SaysHowToMakeAReplicaSet()
    {
        using var standalone = new HelloOnly();
        Assert.Contains("rs.initiate()", await RefusalAsync(At($"mongodb://127.0.0.1:{standalone.Port}/")), StringComparison.Ordinal);
        Assert.Contains("rs.initiate()", await RefusalAsync(At($"mongodb://127.0.0.1:{standalone.Port}/?replicaSet=rs0")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_NobodyThere_SaysSo() =>
        Assert.Equal("MongoDB cannot be reached.", await RefusalAsync(At("mongodb://someone:hunter2@127.0.0.1:1/?directConnection=true", seconds: 2)));

    [Fact]
    public async Task Open_NoTlsAtTheOtherEnd_SpeaksOfTls()
    {
        using var plain = new HelloOnly();
        Assert.Contains("TLS", await RefusalAsync(At($"mongodb://someone:hunter2@127.0.0.1:{plain.Port}/?tls=true")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_CredentialsRefused_SaysSoWithoutThem()
    {
        using var server = new HelloOnly(isMember: true);
        Assert.Equal("MongoDB refuses the credentials.", await RefusalAsync(At($"mongodb://someone:hunter2@127.0.0.1:{server.Port}/?directConnection=true&authMechanism=SCRAM-SHA-256")));
    }

    [Theory]
    [InlineData("mongo://x")]
    [InlineData("mongodb://someone:hunter2@:x:/")]
    [InlineData("mongodb://localhost/?w=-5")]
    public async Task Open_ConnectionStringIsNone_ThrowsWithoutQuotingIt(string uri)
    {
        var thrown = await Assert.ThrowsAsync<ArgumentException>(() => MongoDbRecordStore.OpenAsync(At(uri), TimeProvider.System, null, default));
        Assert.DoesNotContain("hunter2", thrown.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("a b")]
    public async Task Open_DatabaseNameIsNone_Throws(string database) =>
        await Assert.ThrowsAsync<ArgumentException>(() => MongoDbRecordStore.OpenAsync(At("mongodb://127.0.0.1:1") with { Database = database }, TimeProvider.System, null, default));

    [Fact]
    public async Task Open_SchemaOfANewerServer_IsRefused()
    {
        await using var database = new TestDatabase();
        await using (await database.OpenAsync())
        {
        }
        var older = await database.Documents(Names.Meta).Find(new BsonDocument()).SingleAsync();
        Assert.Equal(Connecting.Schema.Version, older["version"].ToInt32());
        await database.Documents(Names.Meta).UpdateOneAsync(new BsonDocument(), new BsonDocument("$set", new BsonDocument("version", Connecting.Schema.Version + 1)));
        Assert.Contains("newer server", await RefusalAsync(database.Options), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_ManyProcessesAtOnce_AllComeUp()
    {
        await using var database = new TestDatabase();
        var stores = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => database.OpenAsync())));
        foreach (var (store, i) in stores.Select((s, i) => (s, i)))
        {
            Assert.IsType<CommitResult.Done>(await store.CommitAsync(A.Commit(A.Write(A.Record(A.Key($"p{i}")))), default));
        }
        Assert.Equal(6, await stores[0].CountAsync("Patient", Predicate.Everything, 10, default));
        foreach (var store in stores)
        {
            await store.DisposeAsync();
        }
        var indexes = await (await database.Documents(Names.Records).Indexes.ListAsync()).ToListAsync();
        Assert.Equal(4 + A.OrderedFields.Length, indexes.Count);
    }

    /// <summary>Answers <c>hello</c> and refuses the rest, as far as a driver needs to make up its mind.</summary>
    private sealed class HelloOnly : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly bool _isMember;

        public HelloOnly(bool isMember = false)
        {
            _isMember = isMember;
            _listener.Start();
            Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
            _ = Task.Run(AcceptAsync);
        }

        public int Port { get; }

        public void Dispose() => _listener.Dispose();

        private async Task AcceptAsync()
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync();
                _ = Task.Run(() => AnswerAsync(client));
            }
        }

        private async Task AnswerAsync(TcpClient client)
        {
            using var one = client;
            var stream = client.GetStream();
            var head = new byte[16];
            while (await stream.ReadAtLeastAsync(head, 16, throwOnEndOfStream: false) == 16)
            {
                if (BinaryPrimitives.ReadInt32LittleEndian(head) is < 16 or > 50_000)
                {
                    return; // a greeting of TLS, not of MongoDB
                }
                var rest = new byte[BinaryPrimitives.ReadInt32LittleEndian(head) - 16];
                await stream.ReadExactlyAsync(rest);
                var isQuery = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(12)) == 2004;
                var text = System.Text.Encoding.Latin1.GetString(rest);
                var isSignIn = text.Contains("saslStart\0", StringComparison.Ordinal) && !text.Contains("speculativeAuthenticate\0", StringComparison.Ordinal);
                await stream.WriteAsync(Reply(head, (isSignIn ? Refusal() : Hello()).ToBson(), isQuery));
            }
        }

        private BsonDocument Hello()
        {
            var hello = new BsonDocument
            {
                { "helloOk", true }, { "ismaster", true }, { "isWritablePrimary", true }, { "maxBsonObjectSize", 16777216 }, { "maxMessageSizeBytes", 48000000 },
                { "maxWriteBatchSize", 100000 }, { "minWireVersion", 0 }, { "maxWireVersion", 25 }, { "logicalSessionTimeoutMinutes", 30 }, { "ok", 1.0 },
            };
            return _isMember ? hello.AddRange(new BsonDocument { { "setName", "rs0" }, { "hosts", new BsonArray { $"127.0.0.1:{Port}" } }, { "me", $"127.0.0.1:{Port}" } }) : hello;
        }

        private static BsonDocument Refusal() => new() { { "ok", 0.0 }, { "errmsg", "Authentication failed." }, { "code", 18 }, { "codeName", "AuthenticationFailed" } };

        private static byte[] Reply(byte[] head, byte[] body, bool isQuery)
        {
            var before = isQuery ? 36 : 21;
            var reply = new byte[before + body.Length];
            BinaryPrimitives.WriteInt32LittleEndian(reply, reply.Length);
            head.AsSpan(4, 4).CopyTo(reply.AsSpan(8));
            BinaryPrimitives.WriteInt32LittleEndian(reply.AsSpan(12), isQuery ? 1 : 2013);
            if (isQuery)
            {
                reply[32] = 1; // one document
            }
            body.CopyTo(reply, before);
            return reply;
        }
    }
}
