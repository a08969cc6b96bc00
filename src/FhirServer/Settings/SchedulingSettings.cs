using System.ComponentModel.DataAnnotations;
using SchedulingOperations;

namespace FhirServer.Settings;

/// <summary>Section <c>Scheduling</c>, read and checked the way every other section is.</summary>
internal static class SchedulingSettings
{
    private const string Section = "Scheduling";

    /// <exception cref="SettingsException">A value is wrong; the message names its key.</exception>
    public static SchedulingOptions Read(IConfiguration configuration)
    {
        var options = new SchedulingOptions();
        try
        {
            configuration.GetSection(Section).Bind(options);
        }
        catch (InvalidOperationException error)
        {
            throw new SettingsException([error.Message]); // the binder names the key itself
        }
        var results = new List<ValidationResult>();
        if (Validator.TryValidateObject(options, new(options), results, validateAllProperties: true))
        {
            return options;
        }
        throw new SettingsException([.. results.Select(result =>
            result.ErrorMessage?.StartsWith(Section, StringComparison.Ordinal) is true ? result.ErrorMessage : $"{Section}:{result.MemberNames.FirstOrDefault()}: {result.ErrorMessage}")]);
    }
}
