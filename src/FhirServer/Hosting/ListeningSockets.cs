using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace FhirServer.Hosting;

/// <summary>
/// The sockets that listen. Closing one resets the connections that the kernel has accepted and Kestrel has not: a client that has sent
/// its request on such a connection cannot know what became of it, and a proxy must not send it again. So before they are closed the
/// kernel is told to let no new connection begin; those under way are accepted, and answered, first.
/// </summary>
/// <remarks>
/// Linux: a filter that drops packets with SYN and without ACK (socket(7), SO_ATTACH_FILTER). A client asks again after a second and then
/// finds the port closed, which is a refusal that everybody may take elsewhere. On other systems nothing is done.
/// </remarks>
internal sealed class ListeningSockets
{
    private const int SolSocket = 1;
    private const int SoAttachFilter = 26;
    private const int InstructionBytes = 8;

    private static readonly (ushort Code, byte IfTrue, byte IfFalse, uint Operand)[] DropNewConnections =
    [
        (0x30, 0, 0, 13), // the flags of the TCP header
        (0x54, 0, 0, 0x12), // of them SYN and ACK
        (0x15, 0, 1, 0x02), // SYN alone?
        (0x06, 0, 0, 0), // drop
        (0x06, 0, 0, uint.MaxValue), // keep
    ];

    private readonly List<Socket> _sockets = [];

    public Socket Add(Socket socket)
    {
        lock (_sockets)
        {
            _sockets.Add(socket);
        }
        return socket;
    }

    public void RefuseNewConnections()
    {
        if (!OperatingSystem.IsLinux() || IntPtr.Size != 8)
        {
            return;
        }
        lock (_sockets)
        {
            foreach (var socket in _sockets.Where(socket => socket.ProtocolType == ProtocolType.Tcp))
            {
                try
                {
                    Attach(socket);
                }
                catch (Exception error) when (error is SocketException or ObjectDisposedException)
                {
                    // A sandbox may not let us, or it is closed already: as it would be without.
                }
            }
        }
    }

    private static void Attach(Socket socket)
    {
        var program = new byte[DropNewConnections.Length * InstructionBytes];
        for (var i = 0; i < DropNewConnections.Length; i++)
        {
            var (code, ifTrue, ifFalse, operand) = DropNewConnections[i];
            var instruction = program.AsSpan(i * InstructionBytes);
            MemoryMarshal.Write(instruction, code);
            instruction[2] = ifTrue;
            instruction[3] = ifFalse;
            MemoryMarshal.Write(instruction[4..], operand);
        }
        var pinned = GCHandle.Alloc(program, GCHandleType.Pinned);
        try
        {
            Span<byte> header = stackalloc byte[16]; // struct sock_fprog: count, padding, address
            header.Clear();
            MemoryMarshal.Write(header, (ushort)DropNewConnections.Length);
            MemoryMarshal.Write(header[8..], pinned.AddrOfPinnedObject());
            socket.SetRawSocketOption(SolSocket, SoAttachFilter, header);
        }
        finally
        {
            pinned.Free();
        }
    }
}
