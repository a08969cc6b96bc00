namespace FhirServer.Settings;

/// <summary>The settings do not allow a start. Every message begins with the key that is wrong.</summary>
public sealed class SettingsException(IReadOnlyList<string> problems) : Exception(string.Join(Environment.NewLine, problems))
{
    public IReadOnlyList<string> Problems { get; } = problems;
}
