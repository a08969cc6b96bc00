using System.Net;
using System.Text.Json.Nodes;

namespace Conformance.Tests;

/// <summary>
/// The operations on load against their OperationDefinitions in <c>conformance/OperationDefinitions</c>,
/// https://hl7.org/fhir/R4/operationdefinition.html: what is defined is taken, and what leaves is defined.
/// </summary>
public sealed class ForecastingTests(ServerUnderTest server)
{
    private static readonly string Folder = Path.Combine(RunningServer.RepositoryRoot, "conformance", "OperationDefinitions");

    public static TheoryData<string> Codes => [.. Directory.GetFiles(Folder, "*.json").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Codes))]
    public async Task Definition_IsFhirAndIsWhatTheServerSaysOfItself(string code)
    {
        var definition = await DefinitionAsync(code);
        var stored = await server.SendAsync(HttpMethod.Put, $"OperationDefinition/{code}", definition.ToJsonString());
        Assert.True(stored.Status is HttpStatusCode.OK or HttpStatusCode.Created, stored.Text);

        var rest = (await server.GetAsync("metadata")).Is(HttpStatusCode.OK).Body!["rest"]![0]!["resource"]!.AsArray();
        foreach (var type in definition["resource"]!.AsArray().Select(type => (string)type!))
        {
            var operations = rest.Single(resource => (string?)resource!["type"] == type)!["operation"]?.AsArray() ?? [];
            Assert.SkipUnless(operations.Count > 0, $"This server has no operations on {type}.");
            Assert.Contains(operations, operation => (string?)operation!["name"] == code && (string?)operation["definition"] == (string?)definition["url"]);
        }
    }

    /// <summary>Each example uses every input there is.</summary>
    [Theory]
    [InlineData("forecast", "horizon=3&granularity=hour&measure=demand&confidence=0.95&output=parameters&parts=practitioner")]
    [InlineData("forecast", "horizon=14&granularity=week&measure=attended&confidence=0.50&output=parameters&parts=service")]
    [InlineData("capacity", "horizon=60&confidence=0.9")]
    [InlineData("overbooking", "date=2044-06-01&days=3&limit=0.1")]
    [InlineData("waitlist", "start=2044-06-01T09:00:00Z&count=5")]
    public async Task Inputs_AreThoseDefined_AndOutputsToo(string code, string query)
    {
        var definition = await DefinitionAsync(code);
        var clinic = await server.OpenClinicAsync();
        Assert.Equal(Names(definition, "in"), query.Split('&').Select(input => input.Split('=')[0]).Order(StringComparer.Ordinal));

        var answer = await server.GetAsync($"{clinic.Schedule}/${code}?{query}");
        Assert.SkipWhen(answer.Status == HttpStatusCode.NotFound, $"This server has no ${code}.");
        answer.Is(HttpStatusCode.OK);
        if (answer.ResourceType == "Parameters")
        {
            Defined(answer.Body!["parameter"]?.AsArray() ?? [], definition["parameter"]!.AsArray(), code);
        }
        (await server.GetAsync($"{clinic.Schedule}/${code}?no-such-input=1")).Refused(HttpStatusCode.BadRequest);
    }

    /// <summary>Nothing is said of a visit before enough is known; that is a refusal and no number.</summary>
    [Fact]
    public async Task NoShowRisk_OfAnAppointmentNobodyKnowsAnythingOf_IsRefused()
    {
        var clinic = await server.OpenClinicAsync();
        var booked = (await server.PostAsync("Appointment/$book", clinic.Booking(0))).Is(HttpStatusCode.Created);
        var answer = await server.GetAsync($"Appointment/{booked.Id}/$no-show-risk");
        Assert.SkipWhen(answer.Status == HttpStatusCode.NotFound, "This server has no $no-show-risk.");

        answer.Refused(HttpStatusCode.UnprocessableEntity);
    }

    /// <summary>Every value has the type that its definition gives it, and stands where it is defined.</summary>
    private static void Defined(JsonArray values, JsonArray definitions, string where)
    {
        foreach (var value in values)
        {
            var name = (string)value!["name"]!;
            var definition = definitions.FirstOrDefault(one => (string?)one!["name"] == name && (string?)one["use"] == "out");
            Assert.True(definition is not null, $"{where}: {name} is not defined.");
            if (value["part"] is JsonArray parts)
            {
                Defined(parts, definition!["part"]!.AsArray(), $"{where}.{name}");
            }
            else
            {
                var type = (string)definition!["type"]!;
                Assert.True(value[$"value{char.ToUpperInvariant(type[0])}{type[1..]}"] is not null, $"{where}.{name} is no {type}: {value.ToJsonString()}");
            }
        }
        foreach (var needed in definitions.Where(one => (string?)one!["use"] == "out" && (int)one["min"]! > 0))
        {
            Assert.True(values.Any(value => (string?)value!["name"] == (string?)needed!["name"]), $"{where}: {needed!["name"]} is missing.");
        }
    }

    private static IEnumerable<string> Names(JsonNode definition, string use) =>
        definition["parameter"]!.AsArray().Where(parameter => (string?)parameter!["use"] == use).Select(parameter => (string)parameter!["name"]!).Order(StringComparer.Ordinal);

    private static async Task<JsonNode> DefinitionAsync(string code) => JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Folder, code + ".json")))!;
}
