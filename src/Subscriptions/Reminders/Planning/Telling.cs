using System.Collections.Immutable;
using Subscriptions.Reminders.People;
using Subscriptions.Reminders.Records;

namespace Subscriptions.Reminders.Planning;

/// <param name="Told">What the recipient believes once the message has arrived.</param>
/// <param name="Before">What they believed; null where they knew nothing.</param>
internal sealed record Notice(MessageTopic Topic, ToldVisit Told, ToldVisit? Before);

/// <summary>
/// What people have to be told, from what they were told and how the visit stands now. However many versions lie between, each person
/// hears of the difference once.
/// </summary>
internal static class Telling
{
    /// <param name="recipients">Who is told of this visit, as <c>Type/id</c>.</param>
    /// <param name="place">Reference of the location.</param>
    /// <param name="at">When the visit came to stand as it does.</param>
    public static (ImmutableArray<ToldVisit> Told, ImmutableArray<Notice> Notices) Compare(
        IReadOnlyList<ToldVisit> told, Visit visit, IReadOnlyCollection<string> recipients, string? place, DateTimeOffset at, DateTimeOffset now)
    {
        var after = ImmutableArray.CreateBuilder<ToldVisit>();
        var notices = ImmutableArray.CreateBuilder<Notice>();
        var takesPlace = visit is { IsBooked: true, Start: { } begins } && begins > now;
        foreach (var recipient in recipients)
        {
            var before = told.FirstOrDefault(known => known.Recipient == recipient);
            if (!takesPlace || visit is not { Start: { } start, End: { } end })
            {
                continue;
            }
            var isSameTime = before is { IsCancelled: false } && before.Start == start;
            var next = new ToldVisit(recipient, start, end, place, before?.Sequence ?? 0, isSameTime ? before!.Since : at);
            if (before is null or { IsCancelled: true })
            {
                next = next with { Sequence = before is null ? 0 : before.Sequence + 1 };
                notices.Add(new(MessageTopic.Booked, next, before));
            }
            else if (!isSameTime || before.Place != place)
            {
                next = next with { Sequence = before.Sequence + 1 };
                notices.Add(new(MessageTopic.Changed, next, before));
            }
            after.Add(next);
        }
        foreach (var before in told)
        {
            if (after.Any(next => next.Recipient == before.Recipient))
            {
                continue;
            }
            var isOff = visit.IsOff || (takesPlace && !recipients.Contains(before.Recipient));
            if (isOff && !before.IsCancelled && before.Start > now)
            {
                var next = before with { IsCancelled = true, Sequence = before.Sequence + 1, Since = at };
                notices.Add(new(MessageTopic.Cancelled, next, before));
                after.Add(next);
            }
            else
            {
                after.Add(before);
            }
        }
        return (after.DrainToImmutable(), notices.DrainToImmutable());
    }
}
