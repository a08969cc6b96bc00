using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using MimeKit;

namespace StandIns;

/// <param name="Id">Its Message-ID.</param>
public sealed record TakenMail(string Id, string To, byte[] Bytes)
{
    public MimeMessage Read() => MimeMessage.Load(new MemoryStream(Bytes));

    /// <summary>The text as people see it.</summary>
    public string Text => Read().TextBody?.ReplaceLineEndings("\n") ?? "";
}

/// <summary>A mail server: RFC 5321 as far as clients ask for it. A mailbox shows one mail for each Message-ID, however often it came.</summary>
public sealed class SmtpStandIn : IAsyncDisposable
{
    public const string User = "clinic";
    public const string Password = "stand-in-password";

    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<int, TcpClient> _clients = new();
    private readonly ConcurrentQueue<TakenMail> _taken = new();
    private readonly Task _accepting;
    private int _connections;
    private int _open;
    private int _mostOpen;

    private SmtpStandIn(IPAddress address, int port)
    {
        _listener = new(address, port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Everything it has taken, repetitions too.</summary>
    public IReadOnlyCollection<TakenMail> Taken => _taken;

    /// <summary>What a mailbox shows.</summary>
    public IReadOnlyList<TakenMail> Shown => [.. _taken.DistinctBy(mail => (mail.Id, mail.To))];

    public int Connections => Volatile.Read(ref _connections);

    public int MostOpen => Volatile.Read(ref _mostOpen);

    /// <summary>How each mail ends; told who gets it. A refusal with the code <c>data</c> comes after the mail, any other after RCPT.</summary>
    public Func<string, Ending> Ends { get; set; } = static _ => Ending.Ok;

    /// <summary>What it says first; 220 lets clients go on.</summary>
    public string Greeting { get; set; } = "220 mail.stand-in";

    /// <summary>Nobody sends without <see cref="User"/> and <see cref="Password"/>.</summary>
    public bool AsksForPassword { get; set; }

    public event Action<TakenMail>? Took;

    public IEnumerable<KeyValuePair<string, string>> Settings =>
        [new("Smtp:Host", "127.0.0.1"), new("Smtp:Port", Port.ToString(CultureInfo.InvariantCulture)), new("Smtp:From", "Lindenhof Clinics <noreply@clinic.example>")];

    /// <param name="port">0 draws a free one.</param>
    public static SmtpStandIn Start(int port = 0, IPAddress? address = null) => new(address ?? IPAddress.Loopback, port);

    /// <summary>Ends every connection, as a server does that is started again.</summary>
    public void HangUp()
    {
        foreach (var client in _clients.Values)
        {
            client.Close();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        HangUp();
        await _accepting;
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stopping.Token));
            }
        }
        catch (Exception) when (_stopping.IsCancellationRequested)
        {
            // Told to stop: a listener says so in several ways, by where it is met.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        var number = Interlocked.Increment(ref _connections);
        _clients[number] = client;
        var open = Interlocked.Increment(ref _open);
        for (var most = Volatile.Read(ref _mostOpen); open > most; most = Volatile.Read(ref _mostOpen))
        {
            Interlocked.CompareExchange(ref _mostOpen, open, most);
        }
        try
        {
            client.NoDelay = true;
            using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
            await using var writer = new StreamWriter(client.GetStream(), Encoding.Latin1) { NewLine = "\r\n", AutoFlush = true };
            await new Dialogue(this, reader, writer).RunAsync(_stopping.Token);
        }
        catch (Exception error) when (error is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The other side has gone, or we have.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
            _clients.TryRemove(number, out _);
            client.Dispose();
        }
    }

    private void Take(string to, byte[] bytes)
    {
        var mail = new TakenMail(MimeMessage.Load(new MemoryStream(bytes)).MessageId ?? "", to, bytes);
        _taken.Enqueue(mail);
        Took?.Invoke(mail);
    }

    /// <summary>One connection.</summary>
    private sealed class Dialogue(SmtpStandIn server, StreamReader reader, StreamWriter writer)
    {
        private bool _knowsWho;
        private string _to = "";
        private Ending _ending = Ending.Ok;

        public async Task RunAsync(CancellationToken ct)
        {
            await writer.WriteLineAsync(server.Greeting);
            while (await reader.ReadLineAsync(ct) is { } line)
            {
                var verb = line.Split(' ', 2)[0].ToUpperInvariant();
                if (verb == "DATA" ? !await DataAsync(ct) : !await AnswerAsync(verb, line))
                {
                    return;
                }
            }
        }

        private async Task<bool> AnswerAsync(string verb, string line)
        {
            switch (verb)
            {
                case "EHLO":
                    await writer.WriteLineAsync($"250-mail.stand-in\r\n{(server.AsksForPassword ? "250-AUTH PLAIN\r\n" : "")}250 8BITMIME");
                    return true;
                case "AUTH":
                    _knowsWho = line.Split(' ') is [_, "PLAIN", var given] && Encoding.UTF8.GetString(Convert.FromBase64String(given)) == $"\0{User}\0{Password}";
                    await writer.WriteLineAsync(_knowsWho ? "235 welcome" : "535 5.7.8 wrong user or password");
                    return true;
                case "MAIL":
                    await writer.WriteLineAsync(server.AsksForPassword && !_knowsWho ? "530 5.7.0 sign in first" : "250 ok");
                    return true;
                case "RCPT":
                    return await RecipientAsync(line);
                case "QUIT":
                    await writer.WriteLineAsync("221 bye");
                    return false;
                default:
                    await writer.WriteLineAsync("250 ok");
                    return true;
            }
        }

        private async Task<bool> RecipientAsync(string line)
        {
            _to = line[(line.IndexOf('<', StringComparison.Ordinal) + 1)..line.IndexOf('>', StringComparison.Ordinal)];
            _ending = server.Ends(_to);
            if (_ending is Ending.Broken)
            {
                return false;
            }
            await writer.WriteLineAsync(_ending is Ending.Refused { Code: not "data" } refused ? $"{refused.Status} {refused.Code} refused by the stand-in" : "250 ok");
            return true;
        }

        private async Task<bool> DataAsync(CancellationToken ct)
        {
            await writer.WriteLineAsync("354 go on");
            var mail = new StringBuilder();
            while (await reader.ReadLineAsync(ct) is { } line && line != ".")
            {
                mail.Append(line.StartsWith('.') ? line[1..] : line).Append("\r\n");
            }
            var bytes = Encoding.Latin1.GetBytes(mail.ToString());
            switch (_ending)
            {
                case Ending.Refused refused:
                    await writer.WriteLineAsync($"{refused.Status} refused by the stand-in");
                    return true;
                case Ending.TakenUnsaid:
                    server.Take(_to, bytes);
                    return false;
                case Ending.TakenInSilence:
                    server.Take(_to, bytes);
                    await Task.Delay(Timeout.Infinite, ct);
                    return false;
                default:
                    server.Take(_to, bytes);
                    await writer.WriteLineAsync("250 taken");
                    return true;
            }
        }
    }
}
