using System.Globalization;
using StandIns;

// All three for someone who tries the server out: prints the settings, what arrives, and takes replies from the keyboard.
var server = new Uri(args is [var given, ..] ? given : "http://localhost:8080");
var port = args is [_, var first, ..] ? int.Parse(first, CultureInfo.InvariantCulture) : 9100;
await using var twilio = await TwilioStandIn.StartAsync(port);
await using var fcm = await FcmStandIn.StartAsync(port + 1);
await using var smtp = SmtpStandIn.Start(port + 2);
twilio.Took += sms => Console.WriteLine($"SMS {sms.Sid} to {sms.To}:\n  {sms.Body}");
fcm.Took += push => Console.WriteLine($"Push to {push.Token}: {push.Title}\n  {push.Body} {push.Data.ToJsonString()}");
smtp.Took += mail => Console.WriteLine($"E-mail to {mail.To}: {mail.Read().Subject}\n  {mail.Text.Trim().ReplaceLineEndings("\n  ")}\n  files: {string.Join(", ", mail.Read().Attachments.Select(file => file.ContentType))}");
Console.WriteLine("Settings of the server:\n");
foreach (var (key, value) in (IEnumerable<KeyValuePair<string, string>>)[.. twilio.Settings, .. fcm.Settings, .. smtp.Settings])
{
    Console.WriteLine($"  export {key.Replace(":", "__", StringComparison.Ordinal)}='{value}'");
}
Console.WriteLine("\nreply NUMBER TEXT answers an SMS; status SID STATE [CODE] reports one; an empty line ends.\n");
while (Console.ReadLine() is { Length: > 0 } line)
{
    try
    {
        switch (line.Split(' ', 3))
        {
            case ["reply", var number, var text]:
                var (status, answer) = await twilio.ReplyAsync(new(server, "/messages/twilio/inbound"), number, text);
                Console.WriteLine($"{status} {answer}");
                break;
            case ["status", var sid, var rest]:
                var words = rest.Split(' ');
                Console.WriteLine(await twilio.ReportAsync(sid, words[0], words.Length > 1 ? int.Parse(words[1], CultureInfo.InvariantCulture) : null));
                break;
            default:
                Console.WriteLine("reply NUMBER TEXT, or status SID STATE [CODE]");
                break;
        }
    }
    catch (Exception error) when (error is HttpRequestException or KeyNotFoundException or FormatException)
    {
        Console.WriteLine(error.Message);
    }
}
