using FhirServer.Commands;
using FhirServer.Hosting;

namespace FhirServer.Tests.Copying;

public sealed class StoreNameTests : IDisposable
{
    private const string Password = "hunter2-planted";
    private readonly string _directory = Directory.CreateTempSubdirectory("fhir-names-").FullName;

    [Theory]
    [InlineData("mongodb://fhir:hunter2-planted@db1:27017,db2:27017/fhir?replicaSet=rs0", "MongoDb:db1:27017,db2:27017/fhir")]
    [InlineData("MongoDb:mongodb://fhir:hunter2-planted@db1/fhir", "MongoDb:db1/fhir")]
    [InlineData("mongodb+srv://fhir:p%40hunter2-planted@db.example.org/fhir", "MongoDb:db.example.org/fhir")]
    [InlineData("mongodb://localhost/fhir", "MongoDb:localhost/fhir")]
    [InlineData("mongodb://fhir:hunter2-planted@more@db1/fhir", "MongoDb:db1/fhir")] // the password is not escaped as it should be
    public void ConnectionString_IsShownWithoutItsPassword(string text, string shown)
    {
        var name = StoreName.Parse(text, "--to");
        Assert.Equal(shown, name.Shown);
        Assert.StartsWith("mongodb", name.Location, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mongodb://fhir:hunter2-planted@db1")]
    [InlineData("mongodb://fhir:hunter2-planted@db1/")]
    [InlineData("mongodb:/fhir:hunter2-planted@db1/fhir")]
    [InlineData("Paper:hunter2-planted")]
    [InlineData("RocksDb:")]
    [InlineData("")]
    public void WrongName_IsRefusedWithoutQuotingIt(string text)
    {
        var refusal = Assert.Throws<CommandException>(() => StoreName.Parse(text, "--to"));
        Assert.Contains("--to", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void File_HoldsTheName()
    {
        var file = Path.Combine(_directory, "target");
        File.WriteAllText(file, $"mongodb://fhir:{Password}@db1/fhir\n");
        Assert.Equal("MongoDb:db1/fhir", StoreName.Parse("@" + file, "--to").Shown);
        File.WriteAllText(file, "");
        Assert.Throws<CommandException>(() => StoreName.Parse("@" + file, "--to"));
        Assert.Throws<CommandException>(() => StoreName.Parse("@" + file + "-missing", "--to"));
        File.WriteAllText(file, "@" + file);
        Assert.Throws<CommandException>(() => StoreName.Parse("@" + file, "--to"));
    }

    [Fact]
    public void Folder_IsTheDataFolderOrTheRecordsFolder()
    {
        var (data, records) = (Path.Combine(_directory, "data"), Path.Combine(_directory, "data", "records"));
        Assert.Equal(records, StoreName.Parse($"RocksDb:{data}", "--from").RecordsDirectory);
        Assert.Equal(records, StoreName.Parse($"rocksdb:{records}/", "--from").RecordsDirectory);
        var backup = Directory.CreateDirectory(Path.Combine(_directory, "backup")).FullName;
        File.WriteAllText(Path.Combine(backup, "STORE-FORMAT"), "fhir-record-store 1\n");
        Assert.Equal(backup, StoreName.Parse($"RocksDb:{backup}", "--from").RecordsDirectory);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
