using System.Globalization;
using Authorization.Accounts;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Authorization.Server;

/// <summary>Refuses keys below <c>Auth</c> that no option takes: a setting that is misspelt must not be one that is not set.</summary>
internal sealed class UnknownSettings(IConfiguration configuration) : IValidateOptions<AuthOptions>
{
    public ValidateOptionsResult Validate(string? name, AuthOptions options)
    {
        var section = configuration.GetSection(AuthOptions.Section);
        var unknown = section.GetChildren().Where(static child => child.Path.Equals(AccountOptions.Section, StringComparison.OrdinalIgnoreCase))
            .SelectMany(static accounts => Below(accounts, typeof(AccountOptions)))
            .Concat(section.GetChildren().Where(static child => !child.Path.Equals(AccountOptions.Section, StringComparison.OrdinalIgnoreCase)).SelectMany(static child => Of(child, typeof(AuthOptions))))
            .Select(static path => $"{path}: no such setting.").ToList();
        return unknown.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(unknown);
    }

    private static IEnumerable<string> Below(IConfigurationSection section, Type type) => section.GetChildren().SelectMany(child => Of(child, type));

    /// <summary>What is unknown of a key and below it.</summary>
    private static IEnumerable<string> Of(IConfigurationSection key, Type type)
    {
        if (Array.Find(type.GetProperties(), property => property.Name.Equals(key.Key, StringComparison.OrdinalIgnoreCase)) is not { } property)
        {
            return [key.Path];
        }
        var kind = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        if (kind.IsGenericType && kind.GetGenericTypeDefinition() == typeof(IList<>))
        {
            var item = kind.GenericTypeArguments[0];
            return key.GetChildren().SelectMany(child =>
                !int.TryParse(child.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? [child.Path] : IsOfOurs(item) ? Below(child, item) : []);
        }
        return IsOfOurs(kind) ? Below(key, kind) : [];
    }

    private static bool IsOfOurs(Type type) => type.IsClass && type.Assembly == typeof(AuthOptions).Assembly;
}
