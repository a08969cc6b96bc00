using FhirServer.Commands;

namespace FhirServer.Hosting;

/// <summary>
/// A store as a command names it: <c>RocksDb:/path</c> (data folder, records folder or backup), <c>mongodb://…/database</c>, or
/// <c>@file</c> whose first line is one of these, so that a password need not stand on the command line.
/// </summary>
/// <param name="Provider">As <c>Storage:Provider</c> calls it.</param>
/// <param name="Location">Folder or connection string. May hold a password: never shown.</param>
internal sealed record StoreName(string Provider, string Location)
{
    public const string RocksDb = "RocksDb";
    public const string MongoDb = "MongoDb";
    private const string MarkFile = "STORE-FORMAT";
    private const string RecordsFolder = "records";

    /// <summary>Without password, user and options.</summary>
    public string Shown => Provider == RocksDb ? $"{RocksDb}:{RecordsDirectory}" : $"{MongoDb}:{HostAndDatabase}";

    /// <summary>The folder of records: the one named, where it is one or is called so, else the one in the data folder that is named.</summary>
    public string RecordsDirectory =>
        File.Exists(Path.Combine(Location, MarkFile)) || Path.GetFileName(Location) == RecordsFolder ? Location : Path.Combine(Location, RecordsFolder);

    /// <summary>Of a connection string.</summary>
    public string Database => HostAndDatabase.Split('/', 2)[1];

    private string HostAndDatabase
    {
        get
        {
            var rest = Location[(Location.IndexOf("://", StringComparison.Ordinal) + 3)..];
            rest = rest[(rest.LastIndexOf('@') + 1)..]; // user and password end at the last @
            return rest.Split('?', 2)[0];
        }
    }

    /// <param name="option">The option it was given to, for messages. The name itself is never quoted: it may hold a password.</param>
    /// <exception cref="CommandException">It is none.</exception>
    public static StoreName Parse(string text, string option)
    {
        if (text.StartsWith('@'))
        {
            return Parse(FirstLine(text[1..], option), option, mayNameAFile: false);
        }
        return Parse(text, option, mayNameAFile: true);
    }

    private static StoreName Parse(string text, string option, bool mayNameAFile)
    {
        const string rocks = RocksDb + ":", mongo = MongoDb + ":";
        if (text.StartsWith(rocks, StringComparison.OrdinalIgnoreCase) && text.Length > rocks.Length)
        {
            return new(RocksDb, Path.TrimEndingDirectorySeparator(Path.GetFullPath(text[rocks.Length..])));
        }
        var connection = text.StartsWith(mongo, StringComparison.OrdinalIgnoreCase) && text.AsSpan(mongo.Length).StartsWith("mongodb") ? text[mongo.Length..] : text;
        if (connection.StartsWith("mongodb://", StringComparison.Ordinal) || connection.StartsWith("mongodb+srv://", StringComparison.Ordinal))
        {
            var name = new StoreName(MongoDb, connection);
            return name.HostAndDatabase.Split('/', 2) is [{ Length: > 0 }, { Length: > 0 }] ? name
                : throw new CommandException($"{option}: the connection string must end in /database.");
        }
        throw new CommandException($"{option}: a store is named RocksDb:FOLDER or mongodb://…/DATABASE{(mayNameAFile ? ", or @FILE with that name in it" : "")}.");
    }

    private static string FirstLine(string path, string option)
    {
        try
        {
            return File.ReadLines(path).FirstOrDefault()?.Trim() is { Length: > 0 } line ? line : throw new CommandException($"{option}: the file {path} is empty.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{option}: the file {path} cannot be read.");
        }
    }
}
