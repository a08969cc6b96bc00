using System.Net;
using FhirCore;
using FhirServer.Http;
using Messages.Twilio;
using Subscriptions.Reminders;
using Subscriptions.Reminders.Replies;

namespace FhirServer.Messages;

/// <summary>What Twilio tells us: what became of a message, and what somebody answers. Only what it has signed is looked at.</summary>
internal sealed class TwilioEndpoints(ReminderRoom room, VisitActions actions, MessageAddresses addresses, MessageLimits limits, TwilioWebhook? webhook = null)
{
    private const long LongestBody = 64 * 1024;

    public static bool IsHere(HttpContext context) => context.Request.Path.Value is MessageAddresses.TwilioStatus or MessageAddresses.TwilioInbound;

    public async Task AnswerAsync(HttpContext context)
    {
        if (webhook is null)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        if (!HttpMethods.IsPost(context.Request.Method))
        {
            context.Response.Headers.Allow = "POST";
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return;
        }
        if (!limits.MayKnock(context))
        {
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            return;
        }
        var path = context.Request.Path.Value!;
        if (await ReadFormAsync(context) is not { } form
            || !webhook.IsSigned(addresses.PublicOf(path, context.Request.QueryString.Value ?? ""), Fields(form), context.Request.Headers[TwilioWebhook.SignatureHeader]))
        {
            limits.Forged(context);
            await ResponseWriter.RefuseAsync(context, FhirFailure.Of(FailureKind.Forbidden, "The request is not signed by Twilio for this address."));
            return;
        }
        await (path == MessageAddresses.TwilioStatus ? ReportAsync(context, form) : ReplyAsync(context, form));
    }

    private async Task ReportAsync(HttpContext context, IFormCollection form)
    {
        if (context.Request.Query[TwilioWebhook.MessageParameter] is [{ } message] && FhirIds.IsValid(message) && TwilioWebhook.ReadStatus(name => form[name]) is { } report)
        {
            await room.Reports.ApplyAsync(message, report.Sid, report.Result, context.RequestAborted);
        }
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task ReplyAsync(HttpContext context, IFormCollection form)
    {
        var (sid, from) = (form["MessageSid"].ToString(), form["From"].ToString());
        if (sid.Length is 0 or > 64 || from.Length is < 4 or > 20 || from[0] != '+')
        {
            await SayAsync(context, null); // not an SMS from a phone
            return;
        }
        if (actions.Closed is { } closed)
        {
            await ResponseWriter.RefuseAsync(context, closed);
            return;
        }
        // Twilio may have read the word already, in a language of its own settings.
        var word = form["OptOutType"] is [{ Length: > 0 } read] ? read : form["Body"].ToString();
        var reply = await room.Replies.ReadAsync(sid, from, word, context.RequestAborted);
        await SayAsync(context, reply is { Visit.IsOpen: true } ? await ActAsync(context, reply) : reply.Answer);
    }

    private async Task<string?> ActAsync(HttpContext context, Reply reply)
    {
        var visit = reply.Visit!;
        var isCancel = reply.Command == ReplyCommand.Cancel;
        var done = isCancel
            ? await actions.CancelAsync(context, visit, VisitActions.BySms, context.RequestAborted)
            : await actions.ConfirmAsync(context, visit, VisitActions.BySms, context.RequestAborted);
        return visit.Say(done.Failure is not null ? "reply.over" : isCancel ? "reply.cancelled" : "reply.confirmed");
    }

    /// <summary>TwiML, https://www.twilio.com/docs/messaging/twiml.</summary>
    private static Task SayAsync(HttpContext context, string? text)
    {
        context.Response.ContentType = "text/xml; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        var message = text is null ? "" : $"<Message>{WebUtility.HtmlEncode(text)}</Message>";
        return context.Response.WriteAsync($"<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>{message}</Response>", context.RequestAborted);
    }

    private static async Task<IFormCollection?> ReadFormAsync(HttpContext context)
    {
        var request = context.Request;
        if (request.ContentLength > LongestBody || request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) != true)
        {
            return null;
        }
        try
        {
            return await request.ReadFormAsync(new() { BufferBody = false, ValueCountLimit = 256, ValueLengthLimit = 16 * 1024, KeyLengthLimit = 256 }, context.RequestAborted);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static IEnumerable<KeyValuePair<string, string>> Fields(IFormCollection form) =>
        form.SelectMany(field => field.Value.Select(value => new KeyValuePair<string, string>(field.Key, value ?? "")));
}
