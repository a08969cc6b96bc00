using System.Collections.Immutable;
using MailKit.Net.Smtp;
using MailKit.Security;

namespace Messages.Smtp;

/// <summary>Connections to the mail server that are used again while there is mail to send, and closed soon after.</summary>
internal sealed class SmtpConnections : IDisposable
{
    /// <summary>Servers close what says nothing for a few minutes; by then we have.</summary>
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(20);

    /// <summary>Some servers take only so many messages by one connection.</summary>
    private const int MostMessages = 100;

    private readonly SmtpOptions _options;
    private readonly TimeProvider _clock;
    private readonly SemaphoreSlim _places;
    private readonly ITimer _tidying;
    private readonly Lock _lock = new();
    private ImmutableStack<Connection> _resting = [];
    private bool _isClosed;

    /// <summary>One connection. Whoever has it alone uses it.</summary>
    internal sealed class Connection(SmtpClient client)
    {
        public SmtpClient Client => client;

        /// <summary>Messages it has carried. One that has carried some may have been closed by the server meanwhile.</summary>
        public int Messages { get; set; }

        public long RestingSince { get; set; }
    }

    public SmtpConnections(SmtpOptions options, TimeProvider clock)
    {
        (_options, _clock, _places) = (options, clock, new(options.MaxConnections));
        _tidying = clock.CreateTimer(static self => ((SmtpConnections)self!).Tidy(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Waits for a place; to be given back by <see cref="Return"/> or <see cref="Drop"/>.</summary>
    public async Task<Connection> RentAsync(CancellationToken ct)
    {
        await _places.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            return TakeRested() ?? await ConnectAsync(ct).ConfigureAwait(false);
        }
        catch
        {
            _places.Release();
            throw;
        }
    }

    /// <summary>A new connection in the place of one that the server has closed.</summary>
    public async Task<Connection> RenewAsync(Connection closed, CancellationToken ct)
    {
        closed.Client.Dispose();
        try
        {
            return await ConnectAsync(ct).ConfigureAwait(false);
        }
        catch
        {
            _places.Release();
            throw;
        }
    }

    public void Return(Connection connection)
    {
        lock (_lock)
        {
            if (!_isClosed && connection.Client.IsConnected && connection.Messages < MostMessages)
            {
                connection.RestingSince = _clock.GetTimestamp();
                _resting = _resting.Push(connection);
                _tidying.Change(LongestRest, Timeout.InfiniteTimeSpan);
                connection = null!;
            }
        }
        _places.Release();
        connection?.Client.Dispose();
    }

    public void Drop(Connection connection)
    {
        connection.Client.Dispose();
        _places.Release();
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isClosed = true;
        }
        _tidying.Dispose();
        Tidy(all: true);
        _places.Dispose();
    }

    private Connection? TakeRested()
    {
        lock (_lock)
        {
            if (_resting.IsEmpty)
            {
                return null;
            }
            _resting = _resting.Pop(out var connection);
            return connection;
        }
    }

    private async Task<Connection> ConnectAsync(CancellationToken ct)
    {
        var client = new SmtpClient();
        try
        {
            var security = _options.Port == SmtpOptions.TlsPort ? SecureSocketOptions.SslOnConnect
                : _options.IsThisMachine ? SecureSocketOptions.StartTlsWhenAvailable
                : SecureSocketOptions.StartTls;
            await client.ConnectAsync(_options.Host, _options.Port, security, ct).ConfigureAwait(false);
            if (_options is { User: { } user, Password: { } password })
            {
                await client.AuthenticateAsync(user, password, ct).ConfigureAwait(false);
            }
            return new(client);
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    private void Tidy() => Tidy(all: false);

    private void Tidy(bool all)
    {
        var over = new List<Connection>();
        lock (_lock)
        {
            var kept = ImmutableStack<Connection>.Empty;
            foreach (var connection in _resting.Reverse())
            {
                if (all || _clock.GetElapsedTime(connection.RestingSince) >= LongestRest)
                {
                    over.Add(connection);
                }
                else
                {
                    kept = kept.Push(connection);
                }
            }
            _resting = kept;
            if (!kept.IsEmpty && !_isClosed)
            {
                _tidying.Change(LongestRest, Timeout.InfiniteTimeSpan);
            }
        }
        foreach (var connection in over)
        {
            connection.Client.Dispose(); // without QUIT, which would wait for the server
        }
    }
}
