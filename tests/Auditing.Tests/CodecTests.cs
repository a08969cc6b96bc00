using System.Text;
using System.Text.Json;
using Auditing.Blocks;
using Auditing.Entries;
using Auditing.Reading;
using CsCheck;
using FhirStore.Json;

namespace Auditing.Tests;

public sealed class CodecTests
{
    [Fact]
    public void Entry_ComesBackAsItWas() => AuditHouse.AnyEntry.Sample(entry =>
    {
        var back = EntryCodec.Read(Bytes(entry));
        return Bytes(back).AsSpan().SequenceEqual(Bytes(entry)) && back.At == entry.At && back.Took == entry.Took && back.Kind == entry.Kind && back.Interaction == entry.Interaction
            && back.Status == entry.Status && back.Type == entry.Type && back.Id == entry.Id && back.Version == entry.Version && back.Operation == entry.Operation
            && back.ClientId == entry.ClientId && back.AccountId == entry.AccountId && back.FhirUser == entry.FhirUser && Plain(back.Address) == Plain(entry.Address)
            && back.RequestId == entry.RequestId && back.Query == entry.Query && back.Issue == entry.Issue && back.Reason == entry.Reason
            && back.Patients.SequenceEqual(entry.Patients) && back.Links.Select(link => (link.Chain, link.Blocks)).SequenceEqual(entry.Links.Select(link => (link.Chain, link.Blocks)));
    });

    [Fact]
    public void DamagedBytes_AreRefused_NotMisread() => Gen.Select(AuditHouse.AnyEntry, Gen.Int[0, 10_000], Gen.Byte).Sample((entry, place, value) =>
    {
        var bytes = Bytes(entry);
        bytes[place % bytes.Length] = value;
        try
        {
            EntryCodec.Read(bytes.AsSpan(0, place % 3 == 0 ? place % bytes.Length : bytes.Length));
        }
        catch (FormatException)
        {
            // Refused: any other exception fails the test.
        }
    });

    /// <summary>The server would take its own events from a client.</summary>
    [Fact]
    public void Event_OfAnyEntry_IsAValidAuditEvent() => AuditHouse.AnyEntry.Sample(entry =>
    {
        var json = BalpEvent.Write("0123456789abcde-0123456789abcdef-7", entry, new(new("https://clinic.example/fhir")));
        var parsed = ResourceParser.Parse(json, "AuditEvent");
        Assert.True(parsed.TryGet(out _, out var failure), string.Join('\n', failure?.Issues.Select(issue => $"{issue.Expression}: {issue.Diagnostics}") ?? []) + Encoding.UTF8.GetString(json.Span));
    });

    [Fact]
    public void Read_IsToldAsBalpWantsIt()
    {
        var entry = AuditHouse.Read("p1", AuditHouse.Start);
        using var json = JsonDocument.Parse(BalpEvent.Write("x", entry, new(new("https://clinic.example/fhir"))));
        var root = json.RootElement;
        Assert.Equal("https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead", root.GetProperty("meta").GetProperty("profile")[0].GetString());
        Assert.Equal("rest", root.GetProperty("type").GetProperty("code").GetString());
        Assert.Equal("read", root.GetProperty("subtype")[0].GetProperty("code").GetString());
        Assert.Equal("R", root.GetProperty("action").GetString());
        Assert.Equal("0", root.GetProperty("outcome").GetString());
        // The server is the source of what is read, the client its destination.
        Assert.Equal(["110152", "110153"], root.GetProperty("agent").EnumerateArray().Select(agent => agent.GetProperty("type").GetProperty("coding")[0].GetProperty("code").GetString()));
        Assert.Equal(["Patient/p1", "Patient/p1/_history/1"], root.GetProperty("entity").EnumerateArray().Select(entity => entity.GetProperty("what").GetProperty("reference").GetString()));
    }

    [Fact]
    public void EventIds_AreKnownByTheirForm()
    {
        var id = new BlockId(BlockId.MicrosecondsOf(AuditHouse.Start), "0123456789abcdef");
        Assert.True(FhirCore.FhirIds.IsValid(id.EventId(511)));
        Assert.True(BlockId.TryParseEvent(id.EventId(511), out var back, out var index));
        Assert.Equal((id, 511), (back, index));
        Assert.True(BlockId.TryParseEvent(id.EventId(0), out _, out _));
        Assert.All([null, "", "x", id.ToString(), id + "-", id + "-01", id + "--1", id + "-1x", id.EventId(1).ToUpperInvariant(), Guid.NewGuid().ToString()], text => Assert.False(BlockId.TryParseEvent(text, out _, out _)));
    }

    [Theory]
    [InlineData("""{"resourceType":"Observation","subject":{"reference":"Patient/a-1"},"performer":[{"reference":"Practitioner/x"},{"reference":"https://h/fhir/Patient/b.2/_history/3"}]}""", "a-1,b.2")]
    [InlineData("""{"fullUrl":"http://h/fhir/Patient/p1","x":"Patient/p1","note":"OutPatient/p9"}""", "p1")]
    [InlineData("""{"resourceType":"Patient"}""", "")]
    [InlineData("""Patient/""", "")]
    public void Patients_OfABody(string json, string expected)
    {
        var found = new PatientList();
        PatientsNamed.In(Encoding.UTF8.GetBytes(json), ref found);
        Assert.Equal(expected, string.Join(',', found.Ids));
    }

    [Theory]
    [InlineData("Observation", "patient", "a,b", "a,b")]
    [InlineData("Observation", "subject", "Patient/a", "a")]
    [InlineData("Observation", "subject", "Group/a", "")]
    [InlineData("Observation", "patient:Patient", "a", "a")]
    [InlineData("Observation", "patient.name", "Smith", "")]
    [InlineData("Patient", "_id", "a,b", "a,b")]
    [InlineData("Appointment", "actor", "http://h/fhir/Patient/a", "a")]
    [InlineData("Patient", "identifier", "urn:x|a", "")]
    public void Patients_OfAQuery(string type, string name, string value, string expected)
    {
        var found = new PatientList();
        PatientsNamed.In(type, [new(name, value)], ref found);
        Assert.Equal(expected, string.Join(',', found.Ids));
    }

    [Fact]
    public void ManyPatients_AreAllNamedOnce()
    {
        var found = new PatientList();
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < PatientsNamed.Most + 10; i++)
            {
                found.Add(Encoding.ASCII.GetBytes($"p{i}"));
                found.Add($"p{i}");
            }
        }
        Assert.Equal(PatientsNamed.Most, found.Ids.Count);
        Assert.Equal(found.Ids.Distinct(), found.Ids);
    }

    private static string? Plain(System.Net.IPAddress? address) => (address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address)?.ToString();

    private static byte[] Bytes(AuditEntry entry)
    {
        var bytes = new ByteWriter();
        EntryCodec.Write(entry, bytes);
        return bytes.Written.ToArray();
    }
}
