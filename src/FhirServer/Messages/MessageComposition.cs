using Authorization.Accounts;

namespace FhirServer.Messages;

internal static class MessageComposition
{
    public static void AddMessages(this IServiceCollection services, IConfiguration configuration)
    {
        var settings = MessageSettings.Read(configuration);
        if (settings.Smtp is { } smtp)
        {
            services.AddSingleton<ICodeSender>(new SmtpSender(smtp));
        }
        if (settings.Twilio is { } twilio)
        {
            services.AddSingleton<ICodeSender>(_ => new TwilioSender(twilio)); // made, and disposed of, by the container
        }
    }
}
