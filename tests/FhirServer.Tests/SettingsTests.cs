using FhirServer.Settings;
using Microsoft.Extensions.Configuration;

namespace FhirServer.Tests;

public sealed class SettingsTests
{
    [Fact]
    public void Defaults_AreACompleteServer()
    {
        var settings = ServerSettings.Read(Configuration());
        Assert.Equal("http://localhost:8080/fhir", settings.BaseUrl.AbsoluteUri);
        Assert.Equal("http://localhost:8080", settings.Urls);
        Assert.Equal(Path.GetFullPath("data"), settings.DataDirectory);
        Assert.Equal(Path.GetFullPath("data/keys/master.key"), settings.KeyFile);
        Assert.Equal(new(Api: true, Worker: true, Subscriptions: true, Forecasting: true), settings.Process.Roles);
        Assert.Equal(TimeSpan.FromSeconds(15), settings.Process.LeaseTime);
        Assert.Equal(TimeSpan.Zero, settings.Process.DrainTime);
        Assert.Empty(settings.Process.TrustedProxies);
    }

    [Theory]
    [InlineData("http://*:9090", "http://localhost:9090/fhir")]
    [InlineData("http://0.0.0.0:80;http://localhost:81", "http://localhost/fhir")]
    public void BaseUrl_FollowsTheListeningAddress(string urls, string expected) =>
        Assert.Equal(expected, ServerSettings.Read(Configuration(("urls", urls))).BaseUrl.AbsoluteUri);

    [Theory]
    [InlineData("Server:BaseUrl", "no address")]
    [InlineData("Server:BaseUrl", "ftp://example.org/fhir")]
    [InlineData("Server:Roles", "api,cook")]
    [InlineData("Server:Roles", ",")]
    [InlineData("Server:LeaseTime", "00:00:02")]
    [InlineData("Server:LeaseTime", "00:10:01")]
    [InlineData("Server:DrainTime", "00:01:01")]
    [InlineData("Server:RequestTimeout", "0")]
    [InlineData("Server:MaxConcurrentRequests", "0")]
    [InlineData("Server:TrustedProxies", "10.0.0.0/8,proxy.example")]
    [InlineData("Server:MaxBodyBytes", "-1")]
    [InlineData("Server:MaxBundleEntries", "many")]
    [InlineData("Server:ShutdownTimeout", "soon")]
    [InlineData("Storage:Provider", "Paper")]
    [InlineData("Storage:DataDirectorry", "/tmp/x")]
    [InlineData("Keys:Provider", "Aws")]
    [InlineData("Cache:Provider", "Memcached")]
    [InlineData("Cache:SlotWeeks", "27")]
    [InlineData("Cache:Redis:Configuraton", "localhost")]
    [InlineData("Events:Provider", "RabbitMQ")]
    [InlineData("Events:Kafka:Partitions", "0")]
    [InlineData("Events:Kafka:ReplicationFactor", "three")]
    [InlineData("Events:Kafka:Retention", "00:30:00")]
    [InlineData("Events:Kafka:BootstrapServer", "kafka:9092")]
    [InlineData("Blobs:Provider", "S3")]
    public void WrongValue_StopsWithTheKeysName(string key, string value)
    {
        var error = Assert.Throws<SettingsException>(() => ServerSettings.Read(Configuration((key, value))));
        Assert.StartsWith(key + ":", Assert.Single(error.Problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("api", true, false, false, false)]
    [InlineData("worker", false, true, false, false)]
    [InlineData("worker, api", true, true, false, false)]
    [InlineData("forecasting,subscriptions", false, false, true, true)]
    public void Roles_AreThoseNamed(string roles, bool api, bool worker, bool subscriptions, bool forecasting) =>
        Assert.Equal(new(api, worker, subscriptions, forecasting), ServerSettings.Read(Configuration(("Server:Roles", roles))).Process.Roles);

    [Theory]
    [InlineData(null)]
    [InlineData("localhost,password=hush,colour=blue")]
    [InlineData("password=hush")]
    public void Redis_WithoutAUsableConfiguration_StopsWithTheKeysName_AndKeepsTheSecret(string? configuration)
    {
        (string, string)[] values = configuration is null ? [("Cache:Provider", "Redis")] : [("Cache:Provider", "Redis"), ("Cache:Redis:Configuration", configuration)];
        var problem = Assert.Single(Assert.Throws<SettingsException>(() => ServerSettings.Read(Configuration(values))).Problems);
        Assert.StartsWith("Cache:Redis:Configuration:", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Cache_DefaultsAndRedis()
    {
        Assert.Equal(new CacheSettings(null, 6), ServerSettings.Read(Configuration()).Cache);
        var redis = ServerSettings.Read(Configuration(("Cache:Provider", "redis"), ("Cache:Redis:Configuration", "s1:26379,s2:26379,serviceName=clinic,password=hush"), ("Cache:SlotWeeks", "0")));
        Assert.Equal(new CacheSettings("s1:26379,s2:26379,serviceName=clinic,password=hush", 0), redis.Cache);
        Assert.DoesNotContain("hush", redis.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("BootstrapServers", null)]
    [InlineData("BootstrapServers", "kafka1:9092,kafka2")]
    [InlineData("BootstrapServers", "http://kafka1:9092")]
    [InlineData("TopicPrefix", "clinic fhir")]
    [InlineData("TopicPrefix", "a-prefix-of-more-than-thirty-characters")]
    [InlineData("SecurityProtocol", "Tls")]
    [InlineData("SaslMechanism", "Plain")]
    [InlineData("SaslPassword", "hush")]
    [InlineData("CaFile", "/no/such/ca.pem")]
    public void Kafka_WithAWrongValue_StopsWithTheKeysName_AndKeepsTheSecret(string key, string? value)
    {
        var values = new Dictionary<string, string> { ["Events:Provider"] = "Kafka", ["Events:Kafka:BootstrapServers"] = "kafka1:9092" };
        values.Remove(value is null ? "Events:Kafka:" + key : "");
        if (value is not null)
        {
            values["Events:Kafka:" + key] = value;
        }
        var problem = Assert.Single(Assert.Throws<SettingsException>(() => ServerSettings.Read(Configuration([.. values.Select(pair => (pair.Key, pair.Value))]))).Problems);
        Assert.StartsWith($"Events:Kafka:{key}:", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Kafka_DefaultsAndAll()
    {
        Assert.Null(ServerSettings.Read(Configuration(("Events:Kafka:BootstrapServers", "kafka:9092"))).Events.Kafka);
        var kafka = ServerSettings.Read(Configuration(
            ("Events:Provider", "kafka"), ("Events:Kafka:BootstrapServers", "kafka1:9092,kafka2:9092"), ("Events:Kafka:Partitions", "24"), ("Events:Kafka:ReplicationFactor", "2"),
            ("Events:Kafka:SecurityProtocol", "SaslSsl"), ("Events:Kafka:SaslMechanism", "ScramSha512"), ("Events:Kafka:SaslUsername", "fhir"), ("Events:Kafka:SaslPassword", "hush"))).Events.Kafka!;
        Assert.Equal(("kafka1:9092,kafka2:9092", "fhir.", 24, 2, TimeSpan.FromDays(7)), (kafka.BootstrapServers, kafka.TopicPrefix, kafka.Partitions, kafka.ReplicationFactor, kafka.Retention));
        Assert.Equal(("SaslSsl", "ScramSha512", "fhir", "hush"), (kafka.SecurityProtocol, kafka.SaslMechanism, kafka.SaslUsername, kafka.SaslPassword));
        Assert.DoesNotContain("hush", kafka.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void MongoDb_WithoutAConnectionString_StopsWithTheKeysName() =>
        Assert.StartsWith("Storage:MongoDb:ConnectionString:", Assert.Single(Assert.Throws<SettingsException>(() => ServerSettings.Read(Configuration(("Storage:Provider", "MongoDb")))).Problems), StringComparison.Ordinal);

    [Theory]
    [InlineData("NoShowRisk", "perhaps")]
    [InlineData("TrainEvery", "00:59:59")]
    [InlineData("TrainEvery", "91.00:00:00")]
    [InlineData("HighRisk", "0.04")]
    [InlineData("HighRisk", "0.96")]
    [InlineData("OverflowChance", "0")]
    [InlineData("OverflowChance", "0.51")]
    [InlineData("HighRisks", "0.3")]
    public void Forecasting_WrongValue_StopsWithTheKeysName(string key, string value) =>
        Assert.Contains($"Forecasting:{key}", Assert.Single(Assert.Throws<SettingsException>(() => ForecastingSettings.Read(Configuration(($"Forecasting:{key}", value)))).Problems), StringComparison.Ordinal);

    [Fact]
    public void Forecasting_Defaults()
    {
        var options = ForecastingSettings.Read(Configuration());
        Assert.Equal((true, TimeSpan.FromDays(7), 0.25, 0.05), (options.NoShowRisk, options.TrainEvery, options.HighRisk, options.OverflowChance));
    }

    [Fact]
    public void EveryProblem_IsToldAtOnce() =>
        Assert.Equal(2, Assert.Throws<SettingsException>(() => ServerSettings.Read(Configuration(("Server:Roles", "x"), ("Keys:Provider", "y")))).Problems.Count);

    private static IConfiguration Configuration(params (string Key, string Value)[] values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values.ToDictionary(pair => pair.Key, string? (pair) => pair.Value)).Build();
}
