using System.Net;
using System.Text.Json.Nodes;

namespace Conformance.Tests;

/// <summary>
/// Finding, holding, booking and cancelling: https://profiles.ihe.net/ITI/Scheduling/ (ITI-115 to ITI-117) and the R4 flow of
/// https://hl7.org/fhir/R4/appointment.html#12.25.2, in the default shape (a bare Appointment in, a bare Appointment out).
/// </summary>
public sealed class SchedulingTests(ServerUnderTest server)
{
    [Fact]
    public async Task Find_ListsFreeTimes_AndNotTakenOnes()
    {
        var clinic = await server.OpenClinicAsync();
        (await server.PostAsync("Appointment/$book", clinic.Booking(2))).Is(HttpStatusCode.Created);
        var found = (await FindAsync(clinic)).Is(HttpStatusCode.OK);

        Assert.Equal("searchset", (string?)found.Body!["type"]);
        Assert.Equal(5, (int?)found.Body["total"]);
        Assert.All(found.Entries(), proposal => Assert.Equal("proposed", (string?)proposal["status"]));
        Assert.DoesNotContain(found.Entries(), proposal => (string?)proposal["start"] == clinic.Slots[2].Start);
        Assert.NotEmpty(found.Entries("outcome"));
    }

    /// <summary>ITI-115: no availability is an answer, not an error.</summary>
    [Fact]
    public async Task Find_WhereNothingIsFree_AnswersWithNoMatches()
    {
        var clinic = await server.OpenClinicAsync();
        var found = (await server.GetAsync($"Appointment/$find?start=2044-06-01T00:00:00Z&end=2044-06-02T00:00:00Z&practitioner={clinic.Practitioner}")).Is(HttpStatusCode.OK);

        Assert.Equal(0, (int?)found.Body!["total"]);
        Assert.Empty(found.Entries());
    }

    [Fact]
    public async Task Book_AFreeSlot_IsCreatedBookedAndTakesTheSlot()
    {
        var clinic = await server.OpenClinicAsync();
        var booked = (await server.PostAsync("Appointment/$book", clinic.Booking(0))).Is(HttpStatusCode.Created);

        Assert.Equal("Appointment", booked.ResourceType);
        Assert.Equal("booked", (string?)booked.Body!["status"]);
        Assert.Equal(clinic.Slots[0].Reference, (string?)booked.Body["slot"]![0]!["reference"]);
        Assert.NotNull(booked.Headers.Location);
        Assert.Equal("busy", await clinic.SlotStatusAsync(0));
        Assert.Equal("free", await clinic.SlotStatusAsync(1));
        Assert.Equal(booked.Id, Assert.Single((await server.GetAsync($"Appointment?patient={clinic.Patient}&status=booked")).Ids()));
        Assert.Equal(booked.Id, Assert.Single((await server.GetAsync($"Appointment?practitioner={clinic.Practitioner}&date={clinic.Slots[0].Start[..10]}")).Ids()));
    }

    [Fact]
    public async Task Book_ATakenSlot_IsAConflictAndStoresNothing()
    {
        var clinic = await server.OpenClinicAsync();
        (await server.PostAsync("Appointment/$book", clinic.Booking(0))).Is(HttpStatusCode.Created);

        (await server.PostAsync("Appointment/$book", clinic.Booking(0, clinic.OtherPatient))).Refused(HttpStatusCode.Conflict);
        Assert.Empty((await server.GetAsync($"Appointment?patient={clinic.OtherPatient}")).Ids());
    }

    [Fact]
    public async Task Book_FiftyAtOnceOnOneSlot_GivesItToOne()
    {
        var clinic = await server.OpenClinicAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => server.PostAsync("Appointment/$book", clinic.Booking(0))));

        Assert.Single(answers, answer => answer.Status == HttpStatusCode.Created);
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.Created), answer => answer.Refused(HttpStatusCode.Conflict));
    }

    [Fact]
    public async Task Book_TheSameRequestAgain_UnderItsIdempotencyKey_IsTheSameAppointment()
    {
        var clinic = await server.OpenClinicAsync();
        var first = (await server.PostAsync("Appointment/$book", clinic.Booking(0), ("Idempotency-Key", clinic.Key))).Is(HttpStatusCode.Created);
        var second = await server.PostAsync("Appointment/$book", clinic.Booking(0), ("Idempotency-Key", clinic.Key));

        Assert.True(second.Status is HttpStatusCode.Created or HttpStatusCode.OK, second.Text);
        Assert.Equal(first.Id, second.Id);
        (await server.PostAsync("Appointment/$book", clinic.Booking(1), ("Idempotency-Key", clinic.Key))).Refused(HttpStatusCode.UnprocessableEntity);
        Assert.Single((await server.GetAsync($"Appointment?patient={clinic.Patient}")).Ids());
    }

    /// <summary>gematik ISiK Terminplanung: an incomplete request is 400, other invalid content 422.</summary>
    [Fact]
    public async Task Book_ABadRequest_IsRefused()
    {
        var clinic = await server.OpenClinicAsync();
        var withoutTimes = clinic.Booking(0);
        withoutTimes.Remove("start");
        withoutTimes.Remove("end");
        var withoutPatient = clinic.Booking(0);
        withoutPatient["participant"]!.AsArray().RemoveAt(0);
        var unknownPatient = clinic.Booking(0, "Patient/nobody-of-this-id");
        var backwards = clinic.Booking(0);
        (backwards["start"], backwards["end"]) = (clinic.Slots[0].End, clinic.Slots[0].Start);

        (await server.PostAsync("Appointment/$book", withoutTimes)).Refused(HttpStatusCode.BadRequest);
        (await server.PostAsync("Appointment/$book", withoutPatient)).Refused(HttpStatusCode.UnprocessableEntity);
        (await server.PostAsync("Appointment/$book", unknownPatient)).Refused(HttpStatusCode.UnprocessableEntity);
        (await server.PostAsync("Appointment/$book", backwards)).Refused(HttpStatusCode.UnprocessableEntity);
        Assert.Equal("free", await clinic.SlotStatusAsync(0));
    }

    [Fact]
    public async Task Book_PartOfALongerSlot_LeavesTheRestFree()
    {
        var clinic = await server.OpenClinicAsync();
        var part = clinic.Booking(0);
        part["start"] = clinic.Slots[0].Start.Replace("09:00:00", "09:10:00", StringComparison.Ordinal);
        part["end"] = clinic.Slots[0].Start.Replace("09:00:00", "09:20:00", StringComparison.Ordinal);
        (await server.PostAsync("Appointment/$book", part)).Is(HttpStatusCode.Created);
        var free = (await server.GetAsync($"Slot?schedule={clinic.Schedule}&status=free&start=lt{clinic.Slots[1].Start}&_sort=start")).Is(HttpStatusCode.OK).Entries();

        Assert.Equal(2, free.Count);
        Assert.Equal((clinic.Slots[0].Start, part["start"]!.GetValue<string>()), ((string)free[0]["start"]!, (string)free[0]["end"]!));
        Assert.Equal((part["end"]!.GetValue<string>(), clinic.Slots[0].End), ((string)free[1]["start"]!, (string)free[1]["end"]!));
    }

    [Fact]
    public async Task Hold_KeepsATimeFromOthers_AndBooksForItsHolder()
    {
        var clinic = await server.OpenClinicAsync();
        var held = await server.PostAsync("Appointment/$hold", clinic.Booking(0));

        Assert.True(held.Status is HttpStatusCode.Created or HttpStatusCode.OK, held.Text);
        Assert.NotNull(held.ContentHeaders.Expires);
        var pending = held.ResourceType == "Appointment" ? held.Body! : held.Body!["entry"]!.AsArray().Select(e => e!["resource"]!).Single(r => (string?)r["resourceType"] == "Appointment");
        Assert.Equal("pending", (string?)pending["status"]);
        Assert.Equal("busy-tentative", await clinic.SlotStatusAsync(0));
        (await server.PostAsync("Appointment/$book", clinic.Booking(0, clinic.OtherPatient))).Refused(HttpStatusCode.Conflict);
        var confirmed = await server.SendAsync(HttpMethod.Post, $"Appointment/{pending["id"]}/$book", """{"resourceType":"Parameters"}""");
        confirmed.Is(HttpStatusCode.OK);
        Assert.Equal("busy", await clinic.SlotStatusAsync(0));
        Assert.Equal("booked", (string?)(await server.GetAsync($"Appointment/{pending["id"]}")).Body!["status"]);
    }

    [Fact]
    public async Task Cancel_FreesTheSlot_AndStaysReadable()
    {
        var clinic = await server.OpenClinicAsync();
        var booked = (await server.PostAsync("Appointment/$book", clinic.Booking(0))).Is(HttpStatusCode.Created);
        (await server.SendAsync(HttpMethod.Post, $"Appointment/{booked.Id}/$cancel", """{"resourceType":"Parameters"}""")).Is(HttpStatusCode.OK);

        Assert.Equal("cancelled", (string?)(await server.GetAsync($"Appointment/{booked.Id}")).Is(HttpStatusCode.OK).Body!["status"]);
        Assert.Equal("free", await clinic.SlotStatusAsync(0));
        (await server.PostAsync("Appointment/$book", clinic.Booking(0, clinic.OtherPatient))).Is(HttpStatusCode.Created);
    }

    /// <summary>ISiK: an Appointment whose id is known is moved in place.</summary>
    [Fact]
    public async Task Reschedule_MovesTheAppointment_AndFreesTheOldTime()
    {
        var clinic = await server.OpenClinicAsync();
        var booked = (await server.PostAsync("Appointment/$book", clinic.Booking(0))).Is(HttpStatusCode.Created);
        var move = clinic.Booking(3);
        move["id"] = booked.Id;
        var moved = (await server.PostAsync("Appointment/$book", move)).Is(HttpStatusCode.OK);

        Assert.Equal(booked.Id, moved.Id);
        Assert.Equal(clinic.Slots[3].Start, (string?)moved.Body!["start"]);
        Assert.Equal("free", await clinic.SlotStatusAsync(0));
        Assert.Equal("busy", await clinic.SlotStatusAsync(3));
    }

    /// <summary>Plain REST passes the same rules: there is no back door around a slot.</summary>
    [Fact]
    public async Task PlainWrites_CannotTakeATakenSlotNorFreeIt()
    {
        var clinic = await server.OpenClinicAsync();
        (await server.PostAsync("Appointment/$book", clinic.Booking(0))).Is(HttpStatusCode.Created);
        var direct = clinic.Booking(0, clinic.OtherPatient);
        direct["status"] = "booked";
        var freed = (await server.GetAsync(clinic.Slots[0].Reference)).Body!.AsObject();
        freed["status"] = "free";

        var created = await server.PostAsync("Appointment", direct);
        Assert.True(created.Status is HttpStatusCode.Conflict or HttpStatusCode.UnprocessableEntity, created.Text);
        created.Refused(created.Status);
        var put = await server.PutAsync(clinic.Slots[0].Reference, freed);
        Assert.True(put.Status is HttpStatusCode.Conflict or HttpStatusCode.UnprocessableEntity, put.Text);
        Assert.Equal("busy", await clinic.SlotStatusAsync(0));
    }

    private Task<Answer> FindAsync(TestClinic clinic)
    {
        var parameters = new JsonObject
        {
            ["resourceType"] = "Parameters",
            ["parameter"] = new JsonArray(
                new JsonObject { ["name"] = "start", ["valueDateTime"] = clinic.Slots[0].Start },
                new JsonObject { ["name"] = "end", ["valueDateTime"] = clinic.Slots[^1].End },
                new JsonObject { ["name"] = "practitioner", ["valueReference"] = new JsonObject { ["reference"] = clinic.Practitioner } }),
        };
        return server.PostAsync("Appointment/$find", parameters);
    }
}
