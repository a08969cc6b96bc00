using FhirCore.Messages;
using Microsoft.Extensions.Time.Testing;
using StandIns;

namespace Messages.Tests;

/// <summary>A channel, the stand-in behind it, and how the stand-in says what every provider can say.</summary>
public interface IProviderUnderTest : IAsyncDisposable
{
    IMessageChannel Channel { get; }

    FakeTimeProvider Clock { get; }

    string Address { get; }

    /// <summary>How requests to send end from now on.</summary>
    void End(Ending ending);

    Ending Busy { get; }

    Ending NoSuchAddress { get; }

    /// <summary>Messages that the provider was given, repetitions counted.</summary>
    int Taken { get; }

    /// <summary>Messages that the person sees: what the real provider, or the program that shows it, tells as one is one.</summary>
    int Seen { get; }

    IMessageChannel WithWrongCredentials();

    IMessageChannel WithNobodyThere();
}

/// <summary>What every implementation of <see cref="IMessageChannel"/> promises.</summary>
public abstract class MessageChannelContract : IAsyncLifetime
{
    private IProviderUnderTest _provider = null!;

    protected abstract Task<IProviderUnderTest> StartAsync();

    protected OutgoingMessage Message(string id = "m1", string text = "Your visit is on Tue 5 May 09:30. Details: https://clinic.example/m/abc") =>
        new() { Id = id, To = _provider.Address, Subject = "Your visit", Text = text };

    protected IMessageChannel Channel => _provider.Channel;

    protected IProviderUnderTest Provider => _provider;

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _provider = await StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _provider.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Send_Taken_SaysSo_WithTheProvidersId()
    {
        var result = Assert.IsType<MessageResult.Accepted>(await Channel.SendAsync(Message(), Ct));
        Assert.NotNull(result.ProviderId);
        Assert.Equal((1, 1), (_provider.Taken, _provider.Seen));
    }

    [Fact]
    public async Task Send_ProviderIsBusy_IsForLater_AndNothingWasTaken()
    {
        _provider.End(_provider.Busy);
        Assert.IsType<MessageResult.Later>(await Channel.SendAsync(Message(), Ct));
        Assert.Equal(0, _provider.Taken);
    }

    [Fact]
    public async Task Send_NobodyThere_IsForLater()
    {
        using var channel = (IDisposable)_provider.WithNobodyThere();
        Assert.IsType<MessageResult.Later>(await ((IMessageChannel)channel).SendAsync(Message(), Ct));
    }

    [Fact]
    public async Task Send_NoSuchAddress_IsRefusedForTheAddress()
    {
        _provider.End(_provider.NoSuchAddress);
        Assert.Equal(MessageRefusal.BadAddress, Assert.IsType<MessageResult.Refused>(await Channel.SendAsync(Message(), Ct)).Why);
    }

    [Fact]
    public async Task Send_WrongCredentials_IsRefusedForTheSettings()
    {
        using var channel = (IDisposable)_provider.WithWrongCredentials();
        Assert.Equal(MessageRefusal.Configuration, Assert.IsType<MessageResult.Refused>(await ((IMessageChannel)channel).SendAsync(Message(), Ct)).Why);
        Assert.Equal(0, _provider.Taken);
    }

    [Fact]
    public async Task Send_AnswerLost_IsUnknown_AndEndsWithOneMessageSeen()
    {
        _provider.End(new Ending.TakenUnsaid());
        Assert.IsType<MessageResult.Unknown>(await Channel.SendAsync(Message(), Ct));
        _provider.End(Ending.Ok);

        var found = await Channel.FindAsync(Message(), _provider.Clock.GetUtcNow(), Ct);
        if (Channel.Remembers)
        {
            Assert.NotNull(Assert.IsType<MessageResult.Accepted>(found).ProviderId);
            Assert.Equal(1, _provider.Taken);
        }
        else
        {
            Assert.IsType<MessageResult.Unknown>(found);
            Assert.IsType<MessageResult.Accepted>(await Channel.SendAsync(Message(), Ct));
        }
        Assert.Equal(1, _provider.Seen);
    }

    [Fact]
    public async Task Send_NoAnswerInTime_IsUnknown()
    {
        _provider.End(new Ending.TakenInSilence());
        var sending = Channel.SendAsync(Message(), Ct);
        await PassTimeUntilAsync(() => sending.IsCompleted, () => _provider.Taken == 1);
        Assert.IsType<MessageResult.Unknown>(await sending);
    }

    [Fact]
    public async Task Send_ConnectionBreaksFirst_TakesNothing_AndIsNeverCalledTaken()
    {
        _provider.End(new Ending.Broken());
        Assert.True(await Channel.SendAsync(Message(), Ct) is MessageResult.Later or MessageResult.Unknown);
        Assert.Equal(0, _provider.Taken);
    }

    [Fact]
    public async Task Find_NeverSent_IsNotFound()
    {
        Assert.IsType<MessageResult.Accepted>(await Channel.SendAsync(Message("other", "Another text for the same person"), Ct));
        var found = await Channel.FindAsync(Message(), _provider.Clock.GetUtcNow(), Ct);
        Assert.True(Channel.Remembers ? found is MessageResult.Later : found is MessageResult.Unknown, $"{found}");
    }

    [Fact]
    public async Task Send_ManyAtOnce_AllArrive()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Channel.SendAsync(Message($"m{i}", $"Text {i}"), Ct)));
        Assert.All(results, result => Assert.IsType<MessageResult.Accepted>(result));
        Assert.Equal((40, 40), (_provider.Taken, _provider.Seen));
    }

    [Fact]
    public async Task Send_AfterTrouble_WorksAgain()
    {
        Ending[] troubles = [new Ending.Broken(), _provider.Busy, new Ending.TakenUnsaid(), _provider.NoSuchAddress];
        for (var i = 0; i < troubles.Length; i++)
        {
            _provider.End(troubles[i]);
            await Channel.SendAsync(Message($"trouble{i}"), Ct);
            _provider.End(Ending.Ok);
            Assert.IsType<MessageResult.Accepted>(await Channel.SendAsync(Message($"fine{i}"), Ct));
        }
    }

    [Fact]
    public async Task Send_Cancelled_Throws()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Channel.SendAsync(Message(), cancelled.Token));
    }

    [Fact]
    public async Task Results_HoldNeitherAddressNorText()
    {
        foreach (var ending in (Ending[])[_provider.Busy, _provider.NoSuchAddress, new Ending.Broken(), new Ending.TakenUnsaid()])
        {
            _provider.End(ending);
            var told = (await Channel.SendAsync(Message(), Ct)).ToString();
            Assert.DoesNotContain(_provider.Address, told, StringComparison.Ordinal);
            Assert.DoesNotContain("visit", told, StringComparison.OrdinalIgnoreCase);
        }
    }

    /// <summary>Moves the clock once something is under way, until it is over.</summary>
    protected async Task PassTimeUntilAsync(Func<bool> isOver, Func<bool> isUnderWay)
    {
        await UntilAsync(isUnderWay);
        await UntilAsync(() =>
        {
            _provider.Clock.Advance(TimeSpan.FromSeconds(5));
            return isOver();
        });
    }

    protected static async Task UntilAsync(Func<bool> holds)
    {
        while (!holds())
        {
            await Task.Delay(10, Ct);
        }
    }
}
