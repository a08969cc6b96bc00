using System.Text.RegularExpressions;
using Subscriptions.Reminders.Links;
using Subscriptions.Tests.Reminders.Support;

namespace Subscriptions.Tests.Reminders.Links;

/// <summary>What may be done by the links in messages, and until when.</summary>
public sealed partial class VisitLinkTests
{
    private static readonly DateTimeOffset Start = new(2026, 5, 19, 14, 0, 0, TimeSpan.FromHours(2));

    [Fact]
    public async Task Link_IsGoodUntilTheVisitBegins()
    {
        using var room = await BookedAsync();
        var secret = Assert.Single(Secrets(room.Sms.Texts.Last()));
        room.Clock.SetUtcNow(Start.AddSeconds(-1));
        Assert.True((await room.Room.Links.OpenAsync(secret, default))!.Allows(LinkPurpose.Cancel));
        room.Clock.SetUtcNow(Start);
        Assert.False((await room.Room.Links.OpenAsync(secret, default))!.IsOpen);
        room.Clock.SetUtcNow(Start.AddDays(10));
        await room.Room.Sweep.SweepAsync(default);
        Assert.Null(await room.Room.Links.OpenAsync(secret, default));
    }

    [Fact]
    public async Task Link_OfATimeThatWasMoved_DoesNothing()
    {
        using var room = await BookedAsync();
        var old = Assert.Single(Secrets(room.Sms.Texts.Last()));
        await room.PutAsync(A.Visit("2026-05-20T14:00"));
        await room.PlanAndSendAsync();
        Assert.False((await room.Room.Links.OpenAsync(old, default))!.IsOpen);
        Assert.True((await room.Room.Links.OpenAsync(Assert.Single(Secrets(room.Sms.Texts.Last())), default))!.IsOpen);
    }

    [Fact]
    public async Task Link_InAnEmail_IsForOnePurpose_AndThatOfAnSmsForAll()
    {
        using var room = await BookedAsync();
        var byMail = new List<LinkPurpose[]>();
        foreach (var secret in Secrets(room.Mail.Texts.Last()))
        {
            byMail.Add(Allowed((await room.Room.Links.OpenAsync(secret, default))!));
        }
        Assert.Equal([[LinkPurpose.Confirm], [LinkPurpose.Reschedule], [LinkPurpose.Cancel]], byMail);
        Assert.Equal(Purposes, Allowed((await room.Room.Links.OpenAsync(Secrets(room.Sms.Texts.Last())[0], default))!));
    }

    /// <summary>What stands in a link is made with a key: whoever changes one character of it, or makes one up, has none.</summary>
    [Fact]
    public async Task Link_WithAnyCharacterChanged_IsNone()
    {
        using var room = await BookedAsync();
        var secret = Secrets(room.Sms.Texts.Last())[0];
        for (var i = 0; i < secret.Length; i++)
        {
            Assert.Null(await room.Room.Links.OpenAsync(secret[..i] + (secret[i] == 'x' ? 'y' : 'x') + secret[(i + 1)..], default));
        }
        Assert.Null(await room.Room.Links.OpenAsync(null, default));
        Assert.Null(await room.Room.Links.OpenAsync(secret + "a", default));
    }

    private static readonly LinkPurpose[] Purposes = [LinkPurpose.Confirm, LinkPurpose.Reschedule, LinkPurpose.Cancel];

    private static LinkPurpose[] Allowed(LinkedVisit visit) => [.. Purposes.Where(visit.Allows)];

    private static async Task<PostRoom> BookedAsync()
    {
        var room = await PostRoom.OpenAsync();
        await room.PutAsync(A.Patient());
        await room.PutAsync(A.Visit("2026-05-19T14:00"));
        await room.PlanAndSendAsync();
        return room;
    }

    private static string[] Secrets(string text) => [.. Link().Matches(text).Select(match => match.Groups[1].Value)];

    [GeneratedRegex(@"https://clinic\.example/m/([\w-]+)")]
    private static partial Regex Link();
}
