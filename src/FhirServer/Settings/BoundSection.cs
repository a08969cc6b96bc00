using System.ComponentModel.DataAnnotations;

namespace FhirServer.Settings;

/// <summary>Checks a section that was bound to an options class, the way every other section is checked.</summary>
internal static class BoundSection
{
    /// <param name="bind">Throws <see cref="InvalidOperationException"/> with the key where a value cannot be read.</param>
    /// <param name="section">Whose keys must all be known; null where others have keys in it.</param>
    /// <exception cref="SettingsException">A value is wrong; the message names its key.</exception>
    public static T Read<T>(string name, IConfiguration? section, T options, Action<T> bind)
        where T : class
    {
        try
        {
            bind(options);
        }
        catch (InvalidOperationException error)
        {
            throw new SettingsException([error.Message]); // the binder names the key itself
        }
        var problems = new List<string>();
        var results = new List<ValidationResult>();
        if (!Validator.TryValidateObject(options, new(options), results, validateAllProperties: true))
        {
            problems.AddRange(results.Select(result => result.ErrorMessage?.StartsWith(name, StringComparison.Ordinal) is true
                ? result.ErrorMessage : $"{name}:{result.MemberNames.FirstOrDefault()}: {result.ErrorMessage}"));
        }
        var known = typeof(T).GetProperties().Select(property => property.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        problems.AddRange((section?.GetChildren() ?? []).Where(child => !known.Contains(child.Key)).Select(child => $"{name}:{child.Key}: no such setting."));
        return problems.Count == 0 ? options : throw new SettingsException(problems);
    }
}
