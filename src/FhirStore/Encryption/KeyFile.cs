using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace FhirStore.Encryption;

/// <summary>The key file cannot be used. The message names the path and what to do.</summary>
public sealed class KeyFileException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>One line of text that holds the root key. Only the owner may read it.</summary>
internal static class KeyFile
{
    private const string Prefix = "fhir-root-key:1:";
    private const int KeySize = 32;
    private const int LongestFile = 4096;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode AnyoneElse =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute |
        UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private static readonly TimeSpan RetryEvery = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(10);

    /// <exception cref="KeyFileException">The file is missing, readable by others, or not a key file.</exception>
    public static byte[] Read(string path)
    {
        try
        {
            using var file = File.OpenHandle(path);
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & AnyoneElse) != 0)
            {
                throw new KeyFileException($"Others than its owner can use the key file {path}. Run: chmod 600 '{path}'. If others may have read it, replace the key.");
            }
            var text = new byte[LongestFile];
            var key = Parse(text.AsSpan(0, RandomAccess.Read(file, text, 0)), path);
            CryptographicOperations.ZeroMemory(text);
            return key;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KeyFileException($"The key file {path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Makes the file with a new key unless it is there. It appears whole or not at all, and only one of several processes makes it.</summary>
    public static void Ensure(string path)
    {
        if (File.Exists(path))
        {
            return;
        }
        try
        {
            CreateDirectory(Path.GetDirectoryName(path)!);
            using (var claim = Claim(path + ".lock"))
            {
                if (!File.Exists(path))
                {
                    Create(path);
                }
            }
            File.Delete(path + ".lock"); // safe now: whoever holds an old or a new lock finds the key file there
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KeyFileException($"The key file {path} cannot be made: {e.Message}", e);
        }
    }

    private static void Create(string path)
    {
        var temporary = path + ".new";
        File.Delete(temporary); // left by a process that died here
        var key = RandomNumberGenerator.GetBytes(KeySize);
        using (var file = new FileStream(temporary, Exclusive(FileMode.CreateNew)))
        {
            file.Write(Encoding.ASCII.GetBytes(Prefix + Base64Url.EncodeToString(key) + "\n"));
            file.Flush(flushToDisk: true);
        }
        CryptographicOperations.ZeroMemory(key);
        File.Move(temporary, path);
    }

    private static FileStream Claim(string path)
    {
        for (var waited = TimeSpan.Zero; ; waited += RetryEvery)
        {
            try
            {
                return new FileStream(path, Exclusive(FileMode.OpenOrCreate));
            }
            catch (IOException) when (waited < GiveUpAfter)
            {
                Thread.Sleep(RetryEvery); // another process is making the key at this moment
            }
        }
    }

    private static FileStreamOptions Exclusive(FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }
        return options;
    }

    private static void CreateDirectory(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
        }
        else
        {
            Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
        }
    }

    private static byte[] Parse(ReadOnlySpan<byte> text, string path)
    {
        var line = text.TrimEnd("\r\n "u8);
        if (line.StartsWith(Encoding.ASCII.GetBytes(Prefix)))
        {
            var encoded = line[Prefix.Length..];
            var key = GC.AllocateUninitializedArray<byte>(KeySize, pinned: true);
            if (Base64Url.IsValid(encoded, out var length) && length == KeySize && Base64Url.TryDecodeFromUtf8(encoded, key, out _))
            {
                return key;
            }
        }
        throw new KeyFileException($"The file {path} is not a key file. Put back the key file that belongs to the database.");
    }
}
