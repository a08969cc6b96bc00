using System.Runtime.InteropServices;
using FhirCore.Records;

namespace Storage.RocksDb.Native;

/// <summary>Turns the engine's error texts into the port's exceptions: the only place where they are looked at.</summary>
internal static unsafe class EngineErrors
{
    /// <summary>Throws when the engine left an error, and frees its text.</summary>
    public static void ThrowIfSet(byte* error, string doing)
    {
        if (error is not null)
        {
            throw Take(error, doing);
        }
    }

    private static Exception Take(byte* error, string doing)
    {
        var text = Marshal.PtrToStringUTF8((nint)error) ?? "no text";
        RocksNative.rocksdb_free(error);
        return text.StartsWith("Corruption", StringComparison.Ordinal)
            ? new StoreCorruptException($"The store is damaged ({doing}): {text}")
            : new StoreUnavailableException($"The store's engine failed ({doing}): {text}");
    }
}
