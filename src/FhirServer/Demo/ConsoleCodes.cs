using Authorization.Accounts;

namespace FhirServer.Demo;

/// <summary>In a demo without a mail server, codes are printed: the one who started it plays the patient too.</summary>
internal sealed class ConsoleCodes(TextWriter output) : ICodeSender
{
    public ContactKind Kind => ContactKind.Email;

    public Task SendAsync(CodeMessage message, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(message);
        return output.WriteLineAsync($"Demo: instead of an e-mail to {message.To}: {message.Text}".AsMemory(), ct);
    }
}
