using System.Buffers;
using System.Globalization;
using System.Text.Json;
using FhirCore.Messages;

namespace Messages.Fcm;

/// <summary>
/// A message as FCM takes it. The same id again replaces what a phone shows already, by Android's tag, Apple's collapse id and the
/// browser's tag, so a repetition is never seen twice.
/// </summary>
internal static class FcmPayload
{
    /// <summary>What FCM carries of one message, https://firebase.google.com/docs/cloud-messaging/customize-messages/set-message-type.</summary>
    public const int Longest = 4096;

    /// <summary>Phones that are off longer than this get nothing.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    public static byte[] Write(OutgoingMessage message, DateTimeOffset now)
    {
        var left = message.NotAfter is { } end && end - now < LongestWait ? end - now : LongestWait;
        var seconds = Math.Max(0, (long)left.TotalSeconds);
        var bytes = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteStartObject("message"u8);
            json.WriteString("token"u8, message.To);
            json.WriteStartObject("notification"u8);
            if (message.Subject.Length > 0)
            {
                json.WriteString("title"u8, message.Subject);
            }
            json.WriteString("body"u8, message.Text);
            json.WriteEndObject();
            json.WriteStartObject("data"u8);
            foreach (var (name, value) in message.Data)
            {
                json.WriteString(name, value);
            }
            json.WriteEndObject();
            json.WriteStartObject("android"u8);
            json.WriteString("priority"u8, "HIGH"u8);
            json.WriteString("ttl"u8, $"{seconds}s");
            json.WriteString("collapse_key"u8, message.Id);
            json.WriteStartObject("notification"u8);
            json.WriteString("tag"u8, message.Id);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteStartObject("apns"u8);
            json.WriteStartObject("headers"u8);
            json.WriteString("apns-collapse-id"u8, message.Id);
            json.WriteString("apns-expiration"u8, now.AddSeconds(seconds).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteStartObject("webpush"u8);
            json.WriteStartObject("headers"u8);
            json.WriteString("TTL"u8, seconds.ToString(CultureInfo.InvariantCulture));
            json.WriteEndObject();
            json.WriteStartObject("notification"u8);
            json.WriteString("tag"u8, message.Id);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return bytes.WrittenSpan.ToArray();
    }
}
