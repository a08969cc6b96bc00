using System.Globalization;
using Authorization.Server;
using FhirServer.Http;
using NodaTime;
using Subscriptions.Reminders;
using Subscriptions.Reminders.Links;
using Subscriptions.Reminders.Texts;

namespace FhirServer.Messages;

/// <summary>
/// Where links in messages lead: a small page with buttons. Opening it does nothing, for mail scanners and previews open every link; only a
/// form that is sent acts. Whoever has the link may use it, so it is told to nobody else: no referrer, no cache, no index.
/// </summary>
internal sealed class VisitPages(ReminderRoom room, VisitActions actions, MessageLimits limits, MessageAddresses addresses, PublicAddresses authorization, TimeProvider clock)
{
    private const string LanguageParameter = "lang";
    private const string FromParameter = "from";
    private const string ViewParameter = "view";
    private const int DaysOnAPage = 7;
    private const int MostTimes = 80;
    private const long LongestBody = 8 * 1024;

    private readonly string _path = new Uri(addresses.LinkBase).AbsolutePath;
    private readonly string _style = $"{authorization.PublicPath}/assets/pages.css";

    public async Task AnswerAsync(HttpContext context)
    {
        var isPost = HttpMethods.IsPost(context.Request.Method);
        if (!isPost && !HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.Headers.Allow = "GET, HEAD, POST";
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return;
        }
        var asked = AskedLanguage(context);
        if (!limits.MayOpen(context))
        {
            await TellAsync(context, null, asked ?? Preferred(context), StatusCodes.Status429TooManyRequests, "page.busy");
            return;
        }
        var parts = context.Request.Path.Value![(MessageAddresses.Links.Length)..].Trim('/').Split('/');
        var visit = parts.Length <= 2 ? await room.Links.OpenAsync(parts[0], context.RequestAborted) : null;
        visit = visit is not null && asked is not null ? visit.In(asked) : visit;
        if (visit is null || !visit.IsOpen)
        {
            await TellAsync(context, visit, visit?.Language ?? asked ?? Preferred(context), visit is null ? StatusCodes.Status404NotFound : StatusCodes.Status410Gone, "page.over");
            return;
        }
        await (isPost
            ? parts.Length == 2 && context.Request.ContentLength is not > LongestBody ? ActAsync(context, visit, parts[0], parts[1]) : ShowAsync(context, visit, parts[0])
            : ShowAsync(context, visit, parts[0]));
    }

    private async Task ShowAsync(HttpContext context, LinkedVisit visit, string secret)
    {
        var page = Begin(visit);
        var isAboutTimes = visit.Purpose == LinkPurpose.Reschedule || (visit.Allows(LinkPurpose.Reschedule) && context.Request.Query[ViewParameter] == "times");
        if (isAboutTimes)
        {
            await AddTimesAsync(context, page, visit, secret);
        }
        else
        {
            if (visit.Allows(LinkPurpose.Confirm))
            {
                page.Form(Action(secret, "confirm", visit), [], visit.Say("page.confirm"));
            }
            if (visit.Purpose == LinkPurpose.Visit && visit.Schedule is not null)
            {
                page.Link($"{_path}{secret}?{ViewParameter}=times&{LanguageParameter}={visit.Language.Code}", visit.Say("page.reschedule"));
            }
            if (visit.Allows(LinkPurpose.Cancel))
            {
                page.Form(Action(secret, "cancel", visit), [], visit.Say("page.cancel"), isDangerous: true, note: visit.Say("page.cancel.sure"));
            }
        }
        await SendAsync(context, page, visit, secret, StatusCodes.Status200OK);
    }

    private async Task ActAsync(HttpContext context, LinkedVisit visit, string secret, string action)
    {
        LinkPurpose? purpose = action switch { "confirm" => LinkPurpose.Confirm, "cancel" => LinkPurpose.Cancel, "reschedule" => LinkPurpose.Reschedule, _ => null };
        if (purpose is not { } wanted || !visit.Allows(wanted))
        {
            await TellAsync(context, visit, visit.Language, StatusCodes.Status403Forbidden, "page.over");
            return;
        }
        if (actions.Closed is { } closed)
        {
            await ResponseWriter.RefuseAsync(context, closed);
            return;
        }
        var ct = context.RequestAborted;
        switch (wanted)
        {
            case LinkPurpose.Confirm:
                await EndAsync(context, visit, await actions.ConfirmAsync(context, visit, VisitActions.ByLink, ct), "page.confirmed", visit.Start);
                break;
            case LinkPurpose.Cancel:
                await EndAsync(context, visit, await actions.CancelAsync(context, visit, VisitActions.ByLink, ct), "page.cancelled", visit.Start);
                break;
            default:
                await RescheduleAsync(context, visit, secret, ct);
                break;
        }
    }

    private async Task RescheduleAsync(HttpContext context, LinkedVisit visit, string secret, CancellationToken ct)
    {
        var chosen = context.Request.HasFormContentType ? (await context.Request.ReadFormAsync(ct))["start"].ToString() : "";
        if (visit.Schedule is null || !DateTimeOffset.TryParseExact(chosen, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var start))
        {
            await ShowAsync(context, visit, secret);
            return;
        }
        var reply = await actions.RescheduleAsync(context, visit, VisitActions.ByLink, start, ct);
        if (reply.Status == StatusCodes.Status409Conflict || reply.Status == StatusCodes.Status422UnprocessableEntity)
        {
            var page = Begin(visit).Fault(visit.Say("page.taken"));
            await AddTimesAsync(context, page, visit, secret);
            await SendAsync(context, page, visit, secret, StatusCodes.Status409Conflict);
            return;
        }
        await EndAsync(context, visit, reply, "page.moved", start);
    }

    /// <summary>Seven days of free times, from the day asked for, by day.</summary>
    private async Task AddTimesAsync(HttpContext context, VisitHtml page, LinkedVisit visit, string secret)
    {
        if (visit.Schedule is null)
        {
            page.Text(visit.Say("page.reschedule.call"));
            return;
        }
        var today = NodaTime.Instant.FromDateTimeOffset(clock.GetUtcNow()).InZone(visit.Zone).Date;
        var from = NodaTime.Text.LocalDatePattern.Iso.Parse(context.Request.Query[FromParameter].ToString()).TryGetValue(today, out var day) && day > today && day < today.PlusDays(366) ? day : today;
        var begin = from == today ? clock.GetUtcNow() : from.AtStartOfDayInZone(visit.Zone).ToDateTimeOffset();
        var end = from.PlusDays(DaysOnAPage).AtStartOfDayInZone(visit.Zone).ToDateTimeOffset();
        var times = await actions.FindAsync(context, visit, VisitActions.ByLink, begin, end, MostTimes, context.RequestAborted);
        page.Heading(visit.Say("page.reschedule"));
        if (times is null or { Count: 0 })
        {
            page.Text(visit.Say("page.reschedule.none"));
        }
        else
        {
            page.Times(Action(secret, "reschedule", visit), visit.Say("page.take"), times.GroupBy(time => visit.At("date.long", time)).Select(group =>
                (group.Key, group.Select(time => (time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture), visit.At("time", time))))));
        }
        if (from > today)
        {
            page.Link(Days(from.PlusDays(-DaysOnAPage)), visit.Say("page.earlier"));
        }
        page.Link(Days(from.PlusDays(DaysOnAPage)), visit.Say("page.later"));

        string Days(LocalDate first) => $"{_path}{secret}?{ViewParameter}=times&{FromParameter}={first:uuuu-MM-dd}&{LanguageParameter}={visit.Language.Code}";
    }

    private Task EndAsync(HttpContext context, LinkedVisit visit, FhirReply reply, string done, DateTimeOffset at) => reply.Failure is null
        ? SendAsync(context, new VisitHtml(visit.Language, visit.Say("page.title"), _style).Text(visit.Say(done, at)), visit, null, StatusCodes.Status200OK)
        : TellAsync(context, visit, visit.Language, reply.Status, reply.Status == StatusCodes.Status412PreconditionFailed ? "page.over" : "page.failed");

    private VisitHtml Begin(LinkedVisit visit)
    {
        var page = new VisitHtml(visit.Language, visit.Say("page.title"), _style).Text(visit.Say("page.when"), isStrong: true);
        if (visit.HasPlace)
        {
            page.Text(visit.Say("page.where"));
        }
        return page.Text(visit.Say("page.zone"), isHint: true);
    }

    private Task TellAsync(HttpContext context, LinkedVisit? visit, Language language, int status, string key) => SendAsync(
        context, new VisitHtml(language, visit?.Say("page.title") ?? room.Links.Say(language, "page.title"), _style).Text(visit?.Say(key) ?? room.Links.Say(language, key)), visit, null, status);

    private async Task SendAsync(HttpContext context, VisitHtml page, LinkedVisit? visit, string? secret, int status)
    {
        if (visit is { HasPhone: true })
        {
            page.Text(visit.Say("page.questions"), isHint: true);
        }
        if (secret is not null)
        {
            page.Languages(room.Links.Languages.All.Select(language => (language.Code, language.Name, $"{_path}{secret}?{LanguageParameter}={language.Code}")));
        }
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        var headers = response.Headers;
        headers.ContentSecurityPolicy = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
        headers["Referrer-Policy"] = "no-referrer";
        headers["X-Robots-Tag"] = "noindex, nofollow";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers.CacheControl = "no-store";
        headers.ContentLanguage = page.Language.Code;
        headers.Vary = "Accept-Language";
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.WriteAsync(page.ToString(), context.RequestAborted);
        }
    }

    private string Action(string secret, string action, LinkedVisit visit) => $"{_path}{secret}/{action}?{LanguageParameter}={visit.Language.Code}";

    /// <returns>Null where the request names none, or one that there are no texts in.</returns>
    private Language? AskedLanguage(HttpContext context)
    {
        var code = context.Request.Query[LanguageParameter].ToString();
        return room.Links.Languages.All.FirstOrDefault(language => language.Code == code);
    }

    private Language Preferred(HttpContext context) => room.Links.Languages.Of(
        context.Request.GetTypedHeaders().AcceptLanguage.OrderByDescending(wanted => wanted.Quality ?? 1).Select(wanted => wanted.Value.ToString()).FirstOrDefault());
}
