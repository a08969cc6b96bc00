using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Faults.Tests;

[Collection("one at a time")]
public sealed class DataFolderTests
{
    private static readonly string[] Planted =
        ["Quennebaert", "Zinovieva", "Зиновьева", "mrn-7391-4420", "+49 171 5550913", "quenne@planted.example", "Kastanienallee 77", "Oberwiesenthal", "1961-07-23", "urn:planted:mrn"];

    /// <summary>Names, identifiers, phone numbers and addresses stand nowhere on the disk: not in the log, a table, a lock or what the server said.</summary>
    [Fact]
    public async Task DataFolder_AfterWritesSearchesAndAKill_HoldsNothingThatWasPlanted()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var server = new ServerProcess();
        await server.StartAsync(ct);
        await Clinic.OpenAsync(server, ct);
        var slot = (await Clinic.AddDayAsync(server, "scan", new DateOnly(2041, 3, 1), 1, ct))[0];
        for (var version = 1; version <= 2; version++) // the first goes into history
        {
            var (put, _) = await server.SendAsync(HttpMethod.Put, "Patient/scan-control-id", JsonNode.Parse($$"""
                {"resourceType":"Patient","id":"scan-control-id","active":{{(version == 1 ? "true" : "false")}},
                 "identifier":[{"system":"urn:planted:mrn","value":"mrn-7391-4420"}],
                 "name":[{"family":"Quennebaert","given":["Zinovieva","Зиновьева"],"text":"Quennebaert Zinovieva"}],
                 "telecom":[{"system":"phone","value":"+49 171 5550913"},{"system":"email","value":"quenne@planted.example"}],
                 "birthDate":"1961-07-23","address":[{"line":["Kastanienallee 77"],"city":"Oberwiesenthal"}]}
                """), ct);
            Assert.True(put is HttpStatusCode.Created or HttpStatusCode.OK, $"{put}");
        }
        var booking = Clinic.Booking(slot);
        booking["comment"] = "Quennebaert, Kastanienallee 77";
        var (booked, _) = await server.SendAsync(HttpMethod.Post, "Appointment/$book", booking, ct, ("Idempotency-Key", "mrn-7391-4420"));
        Assert.Equal(HttpStatusCode.Created, booked);
        Assert.Single(await server.SearchAsync("Patient?family=Quennebaert&birthdate=1961-07-23", ct));
        Assert.Single(await server.SearchAsync("Patient?identifier=urn:planted:mrn|mrn-7391-4420", ct));
        await server.SendAsync(HttpMethod.Post, "Patient", JsonNode.Parse("""{"resourceType":"Patient","birthDate":"Quennebaert"}"""), ct);
        await server.KillAsync();
        await server.StartAsync(ct); // replays the log into tables
        var said = server.Output;
        await server.KillAsync();

        var files = Directory.GetFiles(server.WorkingDirectory, "*", SearchOption.AllDirectories)
            .Where(path => !path.EndsWith(".sock", StringComparison.Ordinal)).Select(File.ReadAllBytes).ToArray();
        Assert.Contains(files, bytes => Holds(bytes, "scan-control-id")); // ids are clear: the scan does find what is there
        foreach (var planted in Planted)
        {
            Assert.DoesNotContain(files, bytes => Holds(bytes, planted));
            Assert.DoesNotContain(planted, said, StringComparison.OrdinalIgnoreCase);
        }
    }

    private static bool Holds(byte[] bytes, string text) =>
        new[] { text, text.ToLowerInvariant(), text.ToUpperInvariant() }.Distinct().Any(form =>
            bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(form)) >= 0
            || bytes.AsSpan().IndexOf(Encoding.Unicode.GetBytes(form)) >= 0
            || bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes(form))[..8])) >= 0);
}
