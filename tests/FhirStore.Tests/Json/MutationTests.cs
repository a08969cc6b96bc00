using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CsCheck;
using FhirStore.Json;
using Hl7.Fhir.Serialization;

namespace FhirStore.Tests.Json;

/// <summary>Right resources with one thing changed. The SDK's strict parser, which shares no code with ours, gives the second opinion.</summary>
public sealed partial class MutationTests
{
    private static readonly string[] Seeds =
    [
        """{"resourceType":"Patient","id":"p","meta":{"profile":["http://example.org/p"]},"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},"extension":[{"url":"http://x","valueAddress":{"city":"x"}}],"identifier":[{"use":"usual","system":"urn:oid:1.2","value":"1","period":{"start":"2001-05-06"}}],"active":true,"name":[{"family":"a","given":["b","c"],"_given":[null,{"extension":[{"url":"http://y","valueCode":"z"}]}]}],"telecom":[{"system":"phone","rank":1}],"gender":"male","birthDate":"1974-12-25","_birthDate":{"extension":[{"url":"http://t","valueDateTime":"1974-12-25T14:35:45-05:00"}]},"deceasedBoolean":false,"multipleBirthInteger":2,"contact":[{"relationship":[{"coding":[{"system":"http://s","code":"N"}]}]}],"managingOrganization":{"reference":"Organization/1"}}""",
        """{"resourceType":"Appointment","status":"booked","start":"2024-01-01T09:00:00Z","end":"2024-01-01T09:30:00.5+01:00","minutesDuration":30,"slot":[{"reference":"Slot/1"}],"participant":[{"type":[{"text":"x"}],"actor":{"reference":"Patient/1","display":"x"},"required":"required","status":"accepted"},{"actor":{"reference":"#l"},"status":"tentative"}],"contained":[{"resourceType":"Location","id":"l","position":{"longitude":-83.69,"latitude":42.2}}],"requestedPeriod":[{"start":"2024-01-01","end":"2024-02-01"}]}""",
        """{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"1-2","userSelected":true}]},"effectiveDateTime":"2024-01-01T10:00:00Z","issued":"2024-01-01T10:00:00.123Z","valueQuantity":{"value":6.30,"comparator":"<","unit":"mmol/l"},"referenceRange":[{"low":{"value":3}}],"component":[{"code":{"text":"x"},"valueInteger":1,"referenceRange":[{"high":{"value":1e2}}]}]}""",
        """{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520","resource":{"resourceType":"Slot","schedule":{"reference":"Schedule/1"},"status":"free","start":"2024-01-01T10:00:00Z","end":"2024-01-01T11:00:00Z","overbooked":false},"request":{"method":"POST","url":"Slot"}}]}""",
        """{"resourceType":"Binary","id":"b","contentType":"text/plain","data":"aGVsbG8="}""",
        """{"resourceType":"Parameters","parameter":[{"name":"a","valueUnsignedInt":1},{"name":"b","part":[{"name":"c","valueTime":"10:00:00"},{"name":"d","resource":{"resourceType":"Basic","id":"x","code":{"text":"y"}}}]}]}""",
        """{"resourceType":"Questionnaire","status":"active","item":[{"linkId":"1","type":"group","item":[{"linkId":"1.1","type":"choice","answerOption":[{"valueCoding":{"code":"x"}}],"enableWhen":[{"question":"1","operator":"=","answerDate":"2024-01-01"}]}]}]}""",
    ];

    private static readonly string[] Values =
    [
        "null", "true", "0", "-1", "1.5", "2147483648", "1e20", "\"\"", "\" \"", "\"x\"", "\"x y\"", "\"2024-02-30\"", "\"2024-02\"", "\"10:00\"",
        "\"urn:uuid:c757873d-ec9a-4326-a141-556f43239521\"", "\"Patient/\"", "[]", "{}", "[null]", "[{}]", "[\"x\"]", "{\"id\":\"x\"}", "{\"value\":1}", "{\"x\":1}", "\"\\u0001\"", "\"\\ud800\"",
    ];

    private const string Mark = "@here@";

    private static readonly FhirJsonDeserializer Sdk = new(new DeserializerSettings().UsingMode(DeserializationMode.Strict));

    private static readonly Gen<string> Mutant = Gen.Select(Gen.OneOf(Seeds), Gen.Int[0, 10_000], Gen.Int[0, 9], Gen.OneOf(Values), Mutate);

    [Fact]
    public void Mutants_WhatWeAccept_TheSdkAcceptsToo()
    {
        var accepted = 0;
        var onlyOurs = new ConcurrentDictionary<string, string>();
        Mutant.Sample(json =>
        {
            if (Bodies.Parse(json).Failure is not null || BareResource().IsMatch(json))
            {
                return;
            }
            Interlocked.Increment(ref accepted);
            Sdk.TryDeserializeResource(json, out _, out var problems);
            foreach (var problem in problems)
            {
                onlyOurs.TryAdd(problem.Message, json);
            }
        }, iter: 3000);
        Assert.Empty(onlyOurs);
        Assert.True(accepted > 100, $"Only {accepted} mutants were right.");
    }

    [Fact]
    public void Seeds_AreRight() => Assert.All(Seeds, seed => Assert.Empty(Bodies.Issues(seed)));

    [Fact]
    public void AnyByteChanged_NeverThrows_AndWhatIsAcceptedComesBack() =>
        Gen.Select(Gen.OneOf(Seeds), Gen.Int[0, int.MaxValue], Gen.Byte, Gen.Int[0, 2]).Sample((seed, at, value, how) =>
        {
            var body = Encoding.UTF8.GetBytes(seed).ToList();
            at %= body.Count;
            switch (how)
            {
                case 0:
                    body[at] = value;
                    break;
                case 1:
                    body.Insert(at, value);
                    break;
                default:
                    body.RemoveAt(at);
                    break;
            }
            if (ResourceParser.Parse(body.ToArray(), null).TryGet(out var resource, out var failure))
            {
                var canonical = CanonicalJson.Write(resource.Root, "x", 1, DateTimeOffset.UnixEpoch);
                Assert.Null(ResourceParser.Parse(canonical, resource.Type).Failure);
            }
            else
            {
                Assert.NotEmpty(failure.Issues);
                Assert.Null(ResourceParser.Parse(OutcomeJson.Write(failure.Issues), "OperationOutcome").Failure);
            }
        }, iter: 5000);

    private static string Mutate(string seed, int place, int how, string value)
    {
        var root = JsonNode.Parse(seed)!;
        var places = new List<JsonNode>();
        Collect(root, places);
        var node = places[place % places.Count];
        JsonNode mark = Mark;
        switch (how)
        {
            case 0 when node.Parent is JsonObject parent:
                parent.Remove(node.GetPropertyName());
                break;
            case 1 when node.Parent is JsonObject parent:
                parent[node.GetPropertyName() + "X"] = node.DeepClone();
                break;
            case 2:
                node.ReplaceWith(new JsonArray(node.DeepClone()));
                break;
            case 3 when node is JsonArray { Count: > 0 } array && array[0] is { } first:
                node.ReplaceWith(first.DeepClone());
                break;
            case 4 when node is JsonArray { Count: > 0 } array:
                array.Add(array[0]?.DeepClone());
                break;
            case 5 when node.Parent is JsonObject parent:
                parent["_" + node.GetPropertyName()] = mark;
                break;
            default:
                node.ReplaceWith(mark);
                break;
        }
        // Not every value can stand in a JsonNode (half a surrogate pair cannot), so it is put in as text.
        return root.ToJsonString().Replace($"\"{Mark}\"", value, StringComparison.Ordinal);
    }

    /// <summary>The SDK calls a resource without any element empty; R4 forbids empty elements, and a resource is none.</summary>
    [GeneratedRegex("""\{"resourceType":"\w+"\}""")]
    private static partial Regex BareResource();

    private static void Collect(JsonNode node, List<JsonNode> places)
    {
        var children = node is JsonObject o ? o.Select(p => p.Value) : node is JsonArray a ? a : [];
        foreach (var child in children)
        {
            if (child is not null)
            {
                places.Add(child);
                Collect(child, places);
            }
        }
    }
}
