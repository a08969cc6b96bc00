using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Authorization.Accounts;

namespace Authorization.Tests.Pages;

/// <summary>Keeps what would be sent.</summary>
internal sealed partial class RecordingSender(ContactKind kind = ContactKind.Email) : ICodeSender
{
    private readonly ConcurrentQueue<CodeMessage> _sent = new();
    private readonly SemaphoreSlim _arrived = new(0);

    public ContactKind Kind => kind;

    public int Count => _sent.Count;

    public IReadOnlyCollection<CodeMessage> All => _sent;

    public Task SendAsync(CodeMessage message, CancellationToken ct)
    {
        _sent.Enqueue(message);
        _arrived.Release();
        return Task.CompletedTask;
    }

    /// <summary>Waits for the next message that has not been waited for.</summary>
    public async Task<CodeMessage> NextAsync()
    {
        Assert.True(await _arrived.WaitAsync(TimeSpan.FromSeconds(10)), "Nothing was sent.");
        return _sent.ElementAt(Count - 1 - _arrived.CurrentCount);
    }

    public async Task<string> NextCodeAsync() => Digits().Match((await NextAsync()).Text).Value;

    [GeneratedRegex(@"\b\d{6}\b")]
    public static partial Regex Digits();
}
