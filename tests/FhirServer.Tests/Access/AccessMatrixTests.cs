using System.Text;
using System.Text.Json.Nodes;
using Authorization.Access;
using FhirServer.Forecasting;
using FhirServer.Http;
using FhirServer.Interactions;
using Forecasting;
using FhirServer.Operations;
using FhirServer.Settings;
using FhirStore.Model;
using Microsoft.Extensions.DependencyInjection;
using SchedulingOperations;

namespace FhirServer.Tests.Access;

/// <summary>
/// Every route × scope × role × compartment: what is granted is found, and nothing else. A route, method or operation that is new fails
/// here until it says what it is to be asked.
/// </summary>
public sealed class AccessMatrixTests(ServerFixture server)
{
    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

    /// <summary>Which probe walks which route; null where a route gives nothing of a resource away, for whoever asks.</summary>
    private static readonly Dictionary<(RouteKind Kind, string Method), string?> Probes = new()
    {
        [(RouteKind.Instance, "GET")] = nameof(ReadsAsync),
        [(RouteKind.Instance, "HEAD")] = nameof(ReadsAsync),
        [(RouteKind.Instance, "PUT")] = nameof(UpdatesAsync),
        [(RouteKind.Instance, "DELETE")] = nameof(DeletesAsync),
        [(RouteKind.Instance, "PATCH")] = null, // not offered
        [(RouteKind.Type, "PATCH")] = null,
        [(RouteKind.Version, "GET")] = nameof(ReadsAsync),
        [(RouteKind.Version, "HEAD")] = nameof(ReadsAsync),
        [(RouteKind.InstanceHistory, "GET")] = nameof(ReadsAsync),
        [(RouteKind.InstanceHistory, "HEAD")] = nameof(ReadsAsync),
        [(RouteKind.TypeHistory, "GET")] = nameof(SearchesAsync),
        [(RouteKind.TypeHistory, "HEAD")] = nameof(SearchesAsync),
        [(RouteKind.SystemHistory, "GET")] = nameof(SearchesAsync),
        [(RouteKind.SystemHistory, "HEAD")] = nameof(SearchesAsync),
        [(RouteKind.Type, "GET")] = nameof(SearchesAsync),
        [(RouteKind.Type, "HEAD")] = nameof(SearchesAsync),
        [(RouteKind.TypeSearch, "POST")] = nameof(SearchesAsync),
        [(RouteKind.Type, "POST")] = nameof(CreatesAsync),
        [(RouteKind.Type, "PUT")] = nameof(UpdatesAsync),
        [(RouteKind.Type, "DELETE")] = nameof(DeletesAsync),
        [(RouteKind.System, "POST")] = nameof(BundlesAsync),
        [(RouteKind.Metadata, "GET")] = null, // public
        [(RouteKind.Metadata, "HEAD")] = null,
        [(RouteKind.SmartConfiguration, "GET")] = null,
        [(RouteKind.SmartConfiguration, "HEAD")] = null,
        [(RouteKind.TypeOperation, "GET")] = nameof(OperationsAsync),
        [(RouteKind.TypeOperation, "HEAD")] = nameof(OperationsAsync),
        [(RouteKind.TypeOperation, "POST")] = nameof(OperationsAsync),
        [(RouteKind.InstanceOperation, "GET")] = nameof(OperationsAsync),
        [(RouteKind.InstanceOperation, "HEAD")] = nameof(OperationsAsync),
        [(RouteKind.InstanceOperation, "POST")] = nameof(OperationsAsync),
        [(RouteKind.SystemOperation, "GET")] = null, // there is none
        [(RouteKind.SystemOperation, "HEAD")] = null,
        [(RouteKind.SystemOperation, "POST")] = null,
    };

    private static readonly HashSet<SchedulingOperation> ProbedOperations =
        [SchedulingOperation.Find, SchedulingOperation.Hold, SchedulingOperation.Book, SchedulingOperation.Cancel, SchedulingOperation.Confirm, SchedulingOperation.Reschedule];

    private static readonly HashSet<ForecastingOperation> ProbedForecasts =
        [ForecastingOperation.Forecast, ForecastingOperation.Capacity, ForecastingOperation.NoShowRisk, ForecastingOperation.Overbooking, ForecastingOperation.Waitlist];

    /// <summary>Of features other than scheduling and forecasting, by type and name.</summary>
    private static readonly string[] OtherProbedOperations = ["Patient register-device", "Patient unregister-device", "Subscription events", "Subscription get-ws-binding-token", "Subscription resend", "Subscription status"];

    private static readonly string[] ScopeForms =
    [
        "L/*.read", "L/*.write", "L/*.*", "L/*.rs", "L/*.cruds", "L/*.r", "L/Appointment.crus L/Slot.rs L/Patient.r",
        $"L/Observation.rs?category={AccessHouse.Category}|laboratory L/Patient.rs", $"L/Observation.cruds?category={AccessHouse.Category}%7Cvital-signs",
    ];

    private readonly List<string> _wrong = [];

    [Fact]
    public void EveryRouteAndOperation_IsInTheMatrix()
    {
        var offered = from kind in Enum.GetValues<RouteKind>() from method in Methods where InteractionTable.Find(kind, method) != FhirInteraction.Other select (kind, method);
        Assert.Equal(offered.Order(), Probes.Keys.Order());
        Assert.Equal(Enum.GetValues<SchedulingOperation>().Order(), ProbedOperations.Order());
        Assert.Equal(Enum.GetValues<ForecastingOperation>().Order(), ProbedForecasts.Order());
        var router = server.Services.GetRequiredService<OperationRouter>();
        var @base = FhirBase.Plain(server.Services.GetRequiredService<ServerSettings>());
        var others = from type in R4Model.ResourceTypes.Append(null) where type != "Appointment" from offer in router.Offers(@base, type)
                     where !ForecastTable.Offers(type).Contains(offer) select $"{type} {offer.Name}";
        Assert.Equal(OtherProbedOperations, others.Order());
    }

    [Fact]
    public async Task Everyone_ReadsAndFinds_WhatTheyAreGranted()
    {
        var house = await AccessHouse.OpenAsync(server);
        await Parallel.ForEachAsync(Principals(), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (who, _) =>
        {
            using var client = await SignInAsync(house, who);
            await ReadsAsync(house, who, client);
            await SearchesAsync(house, who, client);
        });
        Verify();
    }

    [Fact]
    public async Task Everyone_Writes_WhatTheyAreGranted()
    {
        var house = await AccessHouse.OpenAsync(server);
        foreach (var who in Principals())
        {
            using var client = await SignInAsync(house, who);
            await UpdatesAsync(house, who, client);
            await DeletesAsync(house, who, client);
            await CreatesAsync(house, who, client);
            await BundlesAsync(house, who, client);
        }
        Verify();
    }

    [Fact]
    public async Task Everyone_CallsOperations_OnWhatTheyAreGranted()
    {
        var house = await AccessHouse.OpenAsync(server);
        foreach (var who in Principals())
        {
            using var client = await SignInAsync(house, who);
            await OperationsAsync(house, who, client);
            await ForecastsAsync(house, who, client);
        }
        Verify();
    }

    [Fact]
    public async Task Everyone_Subscribes_ToWhatTheyAreGranted()
    {
        var house = await AccessHouse.OpenAsync(server);
        await RestoreSubscriptionAsync(house);
        foreach (var who in Principals("L/Subscription.cruds L/Appointment.rs", "L/Subscription.cr L/Patient.rs", "L/Subscription.rs L/Appointment.rs"))
        {
            using var client = await SignInAsync(house, who);
            await SubscriptionsAsync(house, who, client);
        }
        Verify();
    }

    private static IEnumerable<Principal> Principals(params string[] more)
    {
        foreach (var form in ScopeForms.Concat(more))
        {
            yield return new(form.Replace("L/", "system/", StringComparison.Ordinal));
            foreach (var level in (string[])["patient/", "user/"])
            {
                foreach (var role in Enum.GetValues<Role>())
                {
                    yield return new(form.Replace("L/", level, StringComparison.Ordinal), role);
                }
                yield return new(form.Replace("L/", level, StringComparison.Ordinal), Role.Practitioner, "A");
                yield return new(form.Replace("L/", level, StringComparison.Ordinal), Role.Receptionist, "B");
            }
        }
    }

    private static async Task<FhirClient> SignInAsync(AccessHouse house, Principal who) => who.Role is not { } role
        ? house.Client(who.Scope)
        : await house.SignInAsync(who.Scope, role == Role.Patient ? $"Patient/{house.Own}" : $"Practitioner/{house.Run}-dr", house.Own,
            new HeldRole(role, who.At switch { "A" => house.OrganizationA, "B" => house.OrganizationB, _ => null }));

    private async Task ReadsAsync(AccessHouse house, Principal who, FhirClient client)
    {
        foreach (var thing in house.Things)
        {
            var granted = AccessOracle.May(who, 'r', thing);
            foreach (var path in (string[])[thing.Key, $"{thing.Key}/_history/1", $"{thing.Key}/_history"])
            {
                var answer = await client.GetAsync(path);
                Check(granted, answer.Status == 200, answer.Status is 403 or 404, who, "GET", path, answer);
                if (!granted && AccessOracle.May(who, 'r', thing.Type))
                {
                    // As if it had never been: the very words that an id nobody has gets.
                    var missing = await client.GetAsync(path.Replace(thing.Id, "nobody-has-this-id", StringComparison.Ordinal));
                    Check(true, (answer.Status, answer.Text) == (missing.Status, missing.Text.Replace("nobody-has-this-id", thing.Id, StringComparison.Ordinal)), true, who, "GET (missing)", path, answer);
                }
            }
            var head = await client.SendAsync("HEAD", thing.Key, null);
            Check(granted, head.Status == 200, head.Status is 403 or 404, who, "HEAD", thing.Key, head);
        }
        var batch = await client.PostAsync("", Bundle("batch", house.Things.Select(thing => ("GET", thing.Key, (JsonObject?)null))));
        for (var i = 0; i < house.Things.Count; i++)
        {
            var granted = AccessOracle.May(who, 'r', house.Things[i]);
            Check(granted, Status(batch, i) == 200, Status(batch, i) is 403 or 404, who, "GET in a batch", house.Things[i].Key, batch);
        }
        var allowed = house.Things.Where(thing => AccessOracle.May(who, 'r', thing.Type)).ToList();
        var transaction = await client.PostAsync("", Bundle("transaction", allowed.Select(thing => ("GET", thing.Key, (JsonObject?)null))));
        for (var i = 0; i < allowed.Count; i++)
        {
            Check(AccessOracle.May(who, 'r', allowed[i]), Status(transaction, i) == 200, Status(transaction, i) == 404, who, "GET in a transaction", allowed[i].Key, transaction);
        }
    }

    private async Task SearchesAsync(AccessHouse house, Principal who, FhirClient client)
    {
        foreach (var type in house.Things.Select(thing => thing.Type).Distinct())
        {
            var allowed = AccessOracle.May(who, 's', type);
            var granted = house.Things.Where(thing => thing.Type == type && AccessOracle.May(who, 's', thing)).Select(thing => thing.Id).Order(StringComparer.Ordinal).ToList();
            var query = $"_tag=urn:run|{house.Run}";
            Found(await client.GetAsync($"{type}?{query}&_total=accurate"), "GET search");
            Found(await client.PostAsync($"{type}/_search", query + "&_total=accurate", ("Content-Type", "application/x-www-form-urlencoded")), "POST search");
            var head = await client.SendAsync("HEAD", $"{type}?{query}", null);
            Check(allowed, head.Status == 200, head.Status == 403, who, "HEAD search", type, head);
            var (history, versions) = await HistoryAsync(client, $"{type}/_history?_count=1000&_since={Uri.EscapeDataString(house.Opened.ToString("O"))}", house.Run);
            Check(true, (allowed ? 200 : 403) == history.Status && granted.SequenceEqual(versions), true, who, "GET history", type, history);
            var count = await client.GetAsync($"{type}?{query}&_summary=count");
            Check(true, allowed ? (int?)count.Json["total"] == granted.Count : count.Status == 403, true, who, "count", type, count);

            void Found(Answer answer, string what)
            {
                var ids = answer.Status == 200 ? answer.Matches.Select(match => (string)match["id"]!).Order(StringComparer.Ordinal).ToList() : [];
                Check(true, (allowed ? 200 : 403) == answer.Status && granted.SequenceEqual(ids) && (!allowed || (int?)answer.Json["total"] == granted.Count), true, who, what, type, answer);
            }
        }
        var system = await client.GetAsync("_history?_count=1");
        Check(who.Role is null && AccessOracle.May(who, 's', "Basic"), system.Status == 200, system.Status == 403, who, "GET", "_history", system);
    }

    /// <returns>The last page, and ids of the house over all pages: other tests write to the same server.</returns>
    private static async Task<(Answer Last, List<string> Ids)> HistoryAsync(FhirClient client, string path, string run)
    {
        var ids = new SortedSet<string>(StringComparer.Ordinal);
        for (var next = path; ;)
        {
            var page = await client.GetAsync(next);
            if (page.Status == 200)
            {
                ids.UnionWith(page.Entries.Select(entry => ((string)entry["fullUrl"]!).Split('/')[^1]).Where(id => id.StartsWith(run, StringComparison.Ordinal)));
            }
            if (page.Status != 200 || page.Link("next") is not { } more)
            {
                return (page, [.. ids]);
            }
            next = more;
        }
    }

    private async Task UpdatesAsync(AccessHouse house, Principal who, FhirClient client)
    {
        await ChangesAsync(house, who, "PUT", thing => AccessOracle.May(who, 'u', thing), thing => client.PutAsync(thing.Key, thing.Body.ToJsonString()));
        await ChangesAsync(house, who, "conditional PUT", thing => AccessOracle.May(who, 'u', thing) && AccessOracle.May(who, 's', thing),
            thing => client.PutAsync($"{thing.Type}?_id={thing.Id}", thing.Body.ToJsonString()));
    }

    private async Task DeletesAsync(AccessHouse house, Principal who, FhirClient client)
    {
        await ChangesAsync(house, who, "DELETE", thing => AccessOracle.May(who, 'd', thing), thing => client.DeleteAsync(thing.Key));
        await ChangesAsync(house, who, "conditional DELETE", thing => AccessOracle.May(who, 'd', thing) && AccessOracle.May(who, 's', thing), thing => client.DeleteAsync($"{thing.Type}?_id={thing.Id}"));
    }

    private async Task CreatesAsync(AccessHouse house, Principal who, FhirClient client)
    {
        foreach (var thing in house.Things)
        {
            // A new one gets an id of its own, so it is in no compartment by its id, and of no organization by it.
            var made = thing.Type == "Patient" ? thing with { Patients = [] } : thing.Type == "Organization" ? thing with { Organization = "another" } : thing;
            var body = thing.Body.DeepClone().AsObject();
            body.Remove("id");
            body.Remove("meta");
            if (thing.Label is not null)
            {
                continue;
            }
            if (thing.Type == "Slot")
            {
                body["start"] = "2041-01-02T09:00:00Z";
                body["end"] = "2041-01-02T09:30:00Z";
            }
            var answer = await client.PostAsync(thing.Type, body.ToJsonString());
            Check(AccessOracle.May(who, 'c', made), answer.Status == 201, answer.Status == 403, who, "POST", thing.Key, answer);
            if (answer.Status == 201)
            {
                await house.Admin.DeleteAsync($"{thing.Type}/{answer.Location!.Split('/')[^3]}");
            }
        }
    }

    private async Task BundlesAsync(AccessHouse house, Principal who, FhirClient client)
    {
        await ChangesAsync(house, who, "PUT in a batch", thing => AccessOracle.May(who, 'u', thing), thing => client.PostAsync("", Bundle("batch", [("PUT", thing.Key, thing.Body)])));
        await ChangesAsync(house, who, "PUT in a transaction", thing => AccessOracle.May(who, 'u', thing), thing => client.PostAsync("", Bundle("transaction", [("PUT", thing.Key, thing.Body)])));
        await ChangesAsync(house, who, "DELETE in a transaction", thing => AccessOracle.May(who, 'd', thing), thing => client.PostAsync("", Bundle("transaction", [("DELETE", thing.Key, null)])));
    }

    private async Task OperationsAsync(AccessHouse house, Principal who, FhirClient client)
    {
        foreach (var patient in (string[])["p1", "p2"])
        {
            foreach (var operation in (string[])["$register-device", "$unregister-device"])
            {
                var answer = await client.PostAsync($"{house[patient].Key}/{operation}", """{"resourceType":"Parameters","parameter":[{"name":"token","valueString":"matrix"}]}""");
                var isTheirs = who.Role is null ? AccessOracle.May(who, 'u', "Patient") : who.Role == Role.Patient && patient == "p1";
                Check(AccessOracle.May(who, 'r', house[patient]) && isTheirs, answer.Status == 204, answer.Status is 403 or 404, who, operation, patient, answer);
            }
        }
        var find = await client.GetAsync("Appointment/$find?start=2040-01-02T00:00:00Z&end=2040-01-03T00:00:00Z&schedule=Schedule/" + house["sched"].Id);
        var mayFind = AccessOracle.May(who, 's', "Appointment") && AccessOracle.May(who, 's', "Slot");
        Check(mayFind, find.Status == 200 && find.Matches.Count == 1, find.Status == 403, who, "GET", "$find", find);
        foreach (var patient in (string[])["p1", "p2"])
        {
            var visit = house[$"appt-{patient}"];
            var canBook = AccessOracle.May(who, 'c', visit) && AccessOracle.May(who, 'u', visit) && AccessOracle.MayName(who, house[patient]);
            var proposal = $$"""
                {"resourceType":"Appointment","status":"proposed","start":"2040-01-02T09:00:00Z","end":"2040-01-02T09:30:00Z","slot":[{"reference":"{{house["slot"].Key}}"}],
                 "participant":[{"actor":{"reference":"Patient/{{house[patient].Id}}"},"status":"accepted"}]}
                """;
            var held = await client.PostAsync("Appointment/$hold", proposal);
            Check(AccessOracle.May(who, 'c', visit) && AccessOracle.MayName(who, house[patient]), held.Status == 201, held.Status is 403 or 422, who, "$hold", patient, held);
            await EndAsync(house);
            var booked = await client.PostAsync("Appointment/$book", proposal);
            Check(canBook, booked.Status == 201, booked.Status is 403 or 422, who, "$book", patient, booked);
            await EndAsync(house);
            foreach (var operation in (string[])["$cancel", "$confirm", "$reschedule"])
            {
                await house.Admin.DeleteAsync(visit.Key); // what was cancelled cannot be proposed again
                await house.RestoreAsync(visit);
                var body = operation == "$reschedule"
                    ? """{"resourceType":"Parameters","parameter":[{"name":"start","valueDateTime":"2040-01-02T10:00:00Z"},{"name":"end","valueDateTime":"2040-01-02T10:30:00Z"}]}"""
                    : """{"resourceType":"Parameters"}""";
                var answer = await client.PostAsync($"{visit.Key}/{operation}", body);
                Check(AccessOracle.May(who, 'u', visit), answer.Status is not (403 or 404), answer.Status is 403 or 404, who, operation, patient, answer);
                if (answer.Status == 404)
                {
                    var missing = await client.PostAsync($"Appointment/nobody-has-this-id/{operation}", body);
                    Check(true, missing.Text.Replace("nobody-has-this-id", visit.Id, StringComparison.Ordinal) == answer.Text, true, who, operation + " (missing)", patient, answer);
                }
            }
        }
    }

    /// <summary>Figures, and what is said of one appointment: an answer, or that there is nothing to say yet, is for those alone who may have it.</summary>
    private async Task ForecastsAsync(AccessHouse house, Principal who, FhirClient client)
    {
        foreach (var thing in (Thing[])[house["dr"], house["sched"], house["la"], house["lb"]])
        {
            foreach (var operation in (string[])["$forecast", "$capacity", .. thing.Type == "Schedule" ? ["$overbooking"] : Array.Empty<string>()])
            {
                var answer = await client.GetAsync($"{thing.Key}/{operation}");
                Check(AccessOracle.MaySeeFigures(who, thing), answer.Status == 200, answer.Status == 403, who, "GET", $"{thing.Key}/{operation}", answer);
            }
            var csv = await client.GetAsync($"{thing.Key}/$forecast", ("Accept", "text/csv"));
            Check(AccessOracle.MaySeeFigures(who, thing), csv.Status == 200, csv.Status == 403, who, "GET (CSV)", $"{thing.Key}/$forecast", csv);
        }
        var all = await client.GetAsync("Practitioner/$forecast?horizon=1");
        Check(AccessOracle.MayAskForFigures(who), all.Status is 200 or 422, all.Status == 403, who, "GET", "Practitioner/$forecast", all); // other tests have made many
        foreach (var patient in (string[])["p1", "p2"])
        {
            var visit = house[$"appt-{patient}"];
            var risk = await client.GetAsync($"{visit.Key}/$no-show-risk");
            Check(AccessOracle.MaySeeRisk(who, visit), risk.Status == 422, risk.Status is 403 or 404, who, "GET", $"{visit.Key}/$no-show-risk", risk);
        }
        var waiting = await client.GetAsync($"{house["sched"].Key}/$waitlist");
        Check(AccessOracle.MaySeeWaitlist(who), waiting.Status == 200, waiting.Status == 403, who, "GET", "$waitlist", waiting);
    }

    /// <summary>Whoever may read something may be told of it, and has their own subscriptions and nobody else's; topics are for all, so no person's app writes them.</summary>
    private async Task SubscriptionsAsync(AccessHouse house, Principal who, FhirClient client)
    {
        var reads = AccessOracle.May(who, 'r', "Appointment");
        var made = await client.PostAsync("Subscription", Subscription(null));
        var creates = AccessOracle.MayOwn(who, 'c', "Subscription") && reads;
        Check(creates, made.Status == 201, made.Status == 403, who, "POST", "Subscription", made);
        if (creates && made.Status == 201)
        {
            var own = made.Location!.Split('/')[^3];
            await ProbeAsync(own, letter => AccessOracle.MayOwn(who, letter, "Subscription"));
            await house.Admin.DeleteAsync($"Subscription/{own}");
        }
        await ProbeAsync($"{house.Run}-sub", letter => who.Role is null && AccessOracle.MayOwn(who, letter, "Subscription"));
        await RestoreSubscriptionAsync(house);

        var topic = await client.PostAsync("Basic", $$"""
            {"resourceType":"Basic","code":{"coding":[{"system":"http://hl7.org/fhir/fhir-types","code":"SubscriptionTopic"}]},"extension":[
              {"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic.url","valueUri":"urn:access:{{house.Run}}"},
              {"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic.status","valueCode":"active"},
              {"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic.resourceTrigger","extension":[{"url":"resource","valueUri":"http://hl7.org/fhir/StructureDefinition/Task"}]}]}
            """);
        Check(who.Role is null && AccessOracle.May(who, 'c', "Basic"), topic.Status == 201, topic.Status == 403, who, "POST", "SubscriptionTopic", topic);
        if (topic.Status == 201)
        {
            await house.Admin.DeleteAsync($"Basic/{topic.Location!.Split('/')[^3]}");
        }

        async Task ProbeAsync(string id, Func<char, bool> granted)
        {
            var key = $"Subscription/{id}";
            var read = await client.GetAsync(key);
            Check(granted('r'), read.Status == 200, read.Status is 403 or 404, who, "GET", key, read);
            var found = await client.GetAsync($"Subscription?_id={id}");
            Check(granted('s'), found.Status == 200 && found.Matches.Count == 1, found.Status == 403 || found.Matches.Count == 0, who, "search", key, found);
            foreach (var operation in (string[])["$status", "$events", "$get-ws-binding-token"])
            {
                var asked = await client.GetAsync($"{key}/{operation}");
                Check(granted('r'), asked.Status == 200, asked.Status is 403 or 404, who, operation, key, asked);
            }
            var bound = await client.GetAsync($"Subscription/$get-ws-binding-token?id={id}");
            Check(granted('r'), bound.Status == 200, bound.Status is 403 or 404, who, "$get-ws-binding-token of the type", key, bound);
            var all = await client.GetAsync($"Subscription/$status?id={id}");
            Check(granted('r'), all.Status == 200 && all.Entries.Count == 1, all.Status == 403 || all.Entries.Count == 0, who, "$status of the type", key, all);
            var resent = await client.PostAsync($"{key}/$resend?eventsSinceNumber=1", "");
            Check(granted('r') && granted('u'), resent.Status is 409 or 422, resent.Status is 403 or 404, who, "$resend", key, resent); // there is no endpoint to send to
            var put = await client.PutAsync(key, Subscription(id));
            Check(granted('u') && reads, put.Status == 200, put.Status is 403 or 404, who, "PUT", key, put);
            var deleted = await client.DeleteAsync(key);
            Check(granted('d'), deleted.Status == 204, deleted.Status is 403 or 404, who, "DELETE", key, deleted);
        }
    }

    private static async Task RestoreSubscriptionAsync(AccessHouse house)
    {
        var put = await house.Admin.PutAsync($"Subscription/{house.Run}-sub", Subscription($"{house.Run}-sub"));
        Assert.True(put.Status is 200 or 201, put.Text);
    }

    /// <summary>Of the channel that calls nobody.</summary>
    private static string Subscription(string? id) => $$"""
        {"resourceType":"Subscription",{{(id is null ? "" : $"\"id\":\"{id}\",")}}"status":"requested","reason":"r","criteria":"urn:fhir-server:topic:appointment","channel":{"type":"websocket",
          "payload":"application/fhir+json","_payload":{"extension":[{"url":"http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-payload-content","valueCode":"id-only"}]} } }
        """;

    /// <summary>Gives the slot back, whoever has taken it.</summary>
    private static async Task EndAsync(AccessHouse house)
    {
        foreach (var visit in await house.Admin.SearchAllAsync($"Appointment?slot={house["slot"].Key}"))
        {
            var ended = await house.Admin.DeleteAsync($"Appointment/{(string)visit["id"]!}");
            Assert.True(ended.Status == 204, ended.Text);
        }
    }

    /// <summary>Sends a change of each thing and looks, as the administrator, which ones have changed.</summary>
    private async Task ChangesAsync(AccessHouse house, Principal who, string what, Func<Thing, bool> granted, Func<Thing, Task<Answer>> change)
    {
        var before = await StateAsync(house);
        var answers = new Dictionary<Thing, Answer>();
        foreach (var thing in house.Things)
        {
            answers.Add(thing, await change(thing));
        }
        var after = await StateAsync(house);
        for (var i = 0; i < house.Things.Count; i++)
        {
            var thing = house.Things[i];
            Check(granted(thing), before[i] != after[i], before[i] == after[i], who, what, thing.Key, answers[thing]);
            if (after[i].StartsWith("410", StringComparison.Ordinal))
            {
                await house.RestoreAsync(thing);
            }
        }
    }

    private static async Task<List<string>> StateAsync(AccessHouse house)
    {
        var all = await house.Admin.PostAsync("", Bundle("batch", house.Things.Select(thing => ("GET", thing.Key, (JsonObject?)null))));
        return [.. all.Entries.Select(entry => $"{entry["response"]!["status"]} {entry["response"]!["etag"]}")];
    }

    private static int Status(Answer bundle, int entry) => int.Parse(((string)bundle.Entries[entry]["response"]!["status"]!)[..3], System.Globalization.CultureInfo.InvariantCulture);

    private static string Bundle(string type, IEnumerable<(string Method, string Url, JsonObject? Resource)> entries)
    {
        var list = new JsonArray();
        foreach (var (method, url, resource) in entries)
        {
            var entry = new JsonObject { ["request"] = new JsonObject { ["method"] = method, ["url"] = url } };
            if (resource is not null)
            {
                entry["resource"] = resource.DeepClone();
            }
            list.Add(entry);
        }
        return new JsonObject { ["resourceType"] = "Bundle", ["type"] = type, ["entry"] = list }.ToJsonString();
    }

    private void Check(bool granted, bool done, bool refused, Principal who, string what, string where, Answer answer)
    {
        if (granted ? !done : done || !refused)
        {
            lock (_wrong)
            {
                _wrong.Add($"{who}: {what} {where}: {(granted ? "granted" : "not granted")}, got {answer.Status} {Short(answer)}");
            }
        }
    }

    private static string Short(Answer answer) => answer.Text.Length > 300 ? answer.Text[..300] : answer.Text;

    private void Verify() => Assert.True(_wrong.Count == 0, new StringBuilder().Append(_wrong.Count).Append(" cells are wrong:\n").AppendJoin('\n', _wrong.Take(25)).ToString());
}
