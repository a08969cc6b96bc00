namespace FhirServer.Settings;

/// <summary>
/// Settings from files, one a file: <c>Storage__MongoDb__ConnectionString</c> in <c>Server:SecretsDirectory</c> holds that setting.
/// So passwords stay out of environments and command lines, where others can read them.
/// </summary>
internal static class SecretFiles
{
    public const string Key = "Server:SecretsDirectory";

    /// <summary>They win over all other sources.</summary>
    /// <exception cref="SettingsException">The folder is not there, or cannot be read.</exception>
    public static void AddSecretFiles(this IConfigurationManager configuration)
    {
        if (configuration[Key] is not { Length: > 0 } setting)
        {
            return;
        }
        var directory = Path.GetFullPath(setting);
        if (!Directory.Exists(directory))
        {
            throw new SettingsException([$"{Key}: there is no folder {directory}."]);
        }
        try
        {
            configuration.AddKeyPerFile(directory, optional: false);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new SettingsException([$"{Key}: a file in {directory} cannot be read by this user."]);
        }
    }
}
