namespace Storage.RocksDb.Native;

/// <summary>One buffer a thread for rows on their way out of the engine, whose length is known only after the read.</summary>
internal static class ScratchBuffer
{
    private const int Usual = 8 * 1024;
    private const int LargestKept = 256 * 1024;

    [ThreadStatic]
    private static byte[]? _kept;

    public static byte[] Take()
    {
        var buffer = _kept ?? new byte[Usual];
        _kept = null;
        return buffer;
    }

    public static void Give(byte[] buffer)
    {
        if (buffer.Length <= LargestKept)
        {
            _kept = buffer;
        }
    }
}
