using Cache.Redis;

namespace FhirServer.Settings;

/// <summary>Section <c>Cache</c>.</summary>
/// <param name="RedisConfiguration">How Redis is reached; null where the cache is this process's own. May hold a password.</param>
/// <param name="SlotWeeks">Weeks of free slots that are kept at hand, 0 to 26; 0 keeps none.</param>
public sealed record CacheSettings(string? RedisConfiguration, int SlotWeeks)
{
    private const string ConfigurationKey = "Cache:Redis:Configuration";

    internal static CacheSettings Read(SettingsReader read)
    {
        var isRedis = read.OneOf("Cache:Provider", "Memory", ["Memory", "Redis"]) == "Redis";
        var configuration = read.OptionalText(ConfigurationKey);
        if (isRedis && configuration is null)
        {
            read.Refuse(ConfigurationKey, "needed where Cache:Provider is Redis, such as redis.example.org:6379");
        }
        else if (isRedis && RedisCacheOptions.Problem(configuration!) is { } problem)
        {
            read.Refuse(ConfigurationKey, problem);
        }
        return new(isRedis ? configuration : null, (int)read.Number("Cache:SlotWeeks", 6, 0, 26));
    }

    /// <summary>Without the connection string: a record's own text would show it.</summary>
    public override string ToString() => RedisConfiguration is null ? "Memory" : "Redis";
}
