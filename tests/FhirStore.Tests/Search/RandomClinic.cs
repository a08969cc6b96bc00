using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;

namespace FhirStore.Tests.Search;

/// <summary>Random resources full of awkward values, and random searches drawn from the same values.</summary>
internal static class RandomClinic
{
    private static readonly string[] Words = ["Müller", "muller", "MULLER", "de la Cruz", "Å", "ß-Strasse", "Jean,Luc", "A|B", "Li", "Smith", "Smithson", "Van  Dyke", "Иванова", "O\\B"];
    private static readonly string[] Systems = ["http://a.example", "http://b.example", ""];
    private static readonly string[] Codes = ["a1", "A1", "with|pipe", "with,comma", "x", "true"];
    private static readonly string[] Numbers = ["0", "1", "1.0", "4.5", "5", "5.40", "5.45", "99.5", "100", "-3", "-0.5", "0.001", "1250"];
    private static readonly string[] Comparisons = ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"];
    private static readonly string[] Targets = ["Patient/p1", "Patient/p2", "Practitioner/p1", "https://clinic.example/fhir/Patient/p1", "Patient/p1/_history/3", "https://other.example/Patient/p1", "urn:uuid:0d1d", "#p1"];
    private static readonly string[] Zones = ["Z", "+02:00", "-05:00", "+14:00"];
    private static readonly string[] SlotCodes = ["free", "busy", "busy-tentative", "entered-in-error"];
    private static readonly string[] AppointmentCodes = ["booked", "proposed", "cancelled", "noshow"];
    private static readonly string[] Genders = ["male", "female", "other"];
    private static readonly string[] Units = ["mg", "kg"];

    private static readonly Gen<string> Word = Gen.OneOf(Words);
    private static readonly Gen<string> Number = Gen.OneOf(Numbers);

    private static readonly Gen<string> Day = Gen.Select(Gen.Int[1988, 1992], Gen.Int[1, 12], Gen.Int[1, 28], Gen.Int[0, 4], (y, m, d, form) =>
        form switch { 0 => $"{y}", 1 => $"{y}-{m:00}", _ => $"{y}-{m:00}-{d:00}" });

    private static readonly Gen<string> Instant = Gen.Select(Gen.Int[0, 96], Gen.OneOf(Zones), Gen.Bool, (half, zone, fine) =>
        new DateTime(2030, 12, 31, 0, 0, 0, DateTimeKind.Utc).AddMinutes(30 * half).ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture) + (fine ? ".250" : "") + zone);

    private static readonly Gen<string> Moment = Gen.OneOf(Day, Instant, Instant.Select(i => i[..10]));

    private static readonly Gen<JsonNode> Period = Gen.Select(Moment, Moment, Gen.Int[0, 3], (a, b, form) => (JsonNode)(form switch
    {
        0 => new JsonObject { ["start"] = a },
        1 => new JsonObject { ["end"] = b },
        // R4's per-1: none ends before it starts. The text orders them, but for zones, which a day's distance outweighs.
        _ when string.CompareOrdinal(a[..4], b[..4]) < 0 && a[4..].StartsWith("-12-3", StringComparison.Ordinal) => new JsonObject { ["start"] = a },
        _ when string.CompareOrdinal(a[..4], b[..4]) < 0 => new JsonObject { ["start"] = a, ["end"] = b },
        _ when string.CompareOrdinal(b[..4], a[..4]) < 0 && b[4..].StartsWith("-12-3", StringComparison.Ordinal) => new JsonObject { ["start"] = b },
        _ when string.CompareOrdinal(b[..4], a[..4]) < 0 => new JsonObject { ["start"] = b, ["end"] = a },
        _ => new JsonObject { ["start"] = a, ["end"] = a },
    }));

    private static readonly Gen<JsonNode> Coding = Gen.Select(Gen.OneOf(Systems), Gen.OneOf(Codes), Gen.Bool, (s, c, display) =>
    {
        var coding = new JsonObject { ["code"] = c };
        if (s.Length > 0)
        {
            coding["system"] = s;
        }
        if (display)
        {
            coding["display"] = "Bêta " + c;
        }
        return (JsonNode)coding;
    });

    private static readonly Gen<JsonNode> Concept = Coding.Array[1, 2].Select(c => (JsonNode)new JsonObject { ["coding"] = new JsonArray(c) });

    private static readonly Gen<JsonNode> Identifier = Gen.Select(Gen.OneOf(Systems), Gen.OneOf(Codes), (s, v) =>
        (JsonNode)(s.Length > 0 ? new JsonObject { ["system"] = s, ["value"] = v } : new JsonObject { ["value"] = v }));

    private static readonly Gen<JsonNode> Reference = Gen.Select(Gen.OneOf(Targets), Identifier, Gen.Int[0, 5], (r, i, form) =>
        (JsonNode)(form == 0 ? new JsonObject { ["type"] = "Patient", ["identifier"] = i } : new JsonObject { ["reference"] = r }));

    private static readonly Gen<JsonNode> Quantity = Gen.Select(Number, Gen.OneOf(Units), (n, u) => (JsonNode)new JsonObject { ["value"] = JsonNode.Parse(n), ["code"] = u, ["system"] = "http://unitsofmeasure.org" });

    private static readonly Gen<JsonNode> Name = Gen.Select(Word, Word.Array[0, 2], (f, g) => (JsonNode)new JsonObject { ["family"] = f, ["given"] = new JsonArray([.. g.Select(x => (JsonNode)x)]) });

    public static readonly Gen<string> Resource = Gen.OneOf(
        Of("Patient", ("name", Listed(Name)), ("gender", Text(Gen.OneOf(Genders))), ("birthDate", Text(Day)), ("identifier", Listed(Identifier)), ("active", Gen.Bool.Select(b => (JsonNode)b)),
            ("deceasedDateTime", Text(Moment)), ("generalPractitioner", Listed(Reference)),
            ("address", Listed(Word.Select(w => (JsonNode)new JsonObject { ["city"] = w, ["country"] = "CH" }))),
            ("telecom", Listed(Gen.Select(Gen.OneOf(Codes), Gen.Bool, (c, phone) => (JsonNode)new JsonObject { ["system"] = phone ? "phone" : "email", ["value"] = c })))),
        Of("Observation", ("status", Text(Gen.OneOf("final", "amended"))), ("code", Concept), ("subject", Reference), ("effectiveDateTime", Text(Moment)), ("valueQuantity", Quantity),
            ("component", Listed(Gen.Select(Concept, Quantity, (c, q) => (JsonNode)new JsonObject { ["code"] = c, ["valueQuantity"] = q })))),
        Of("Condition", ("onsetPeriod", Period), ("code", Concept), ("subject", Reference)),
        Of("Slot", ("status", Text(Gen.OneOf(SlotCodes))), ("start", Text(Instant)), ("schedule", Gen.OneOf("Schedule/s1", "Schedule/s2", "https://clinic.example/fhir/Schedule/s1").Select(r => (JsonNode)new JsonObject { ["reference"] = r }))),
        Of("Appointment", ("status", Text(Gen.OneOf(AppointmentCodes))), ("start", Text(Instant)), ("participant", Listed(Reference.Select(r => (JsonNode)new JsonObject { ["actor"] = r })))),
        Of("Schedule", ("planningHorizon", Period), ("actor", Listed(Reference)), ("active", Gen.Bool.Select(b => (JsonNode)b))),
        Of("RiskAssessment", ("prediction", Listed(Gen.OneOf(
            Number.Select(n => (JsonNode)new JsonObject { ["probabilityDecimal"] = JsonNode.Parse(n) }),
            Number.Select(n => (JsonNode)new JsonObject { ["probabilityRange"] = new JsonObject { ["low"] = new JsonObject { ["value"] = JsonNode.Parse(n) } } }))))),
        Of("ValueSet", ("url", Text(Gen.OneOf("http://v.example/a", "http://v.example/a/b", "urn:oid:1.2"))), ("name", Text(Word)), ("status", Text(Gen.OneOf("draft", "active")))));

    private static readonly Gen<string> StringValue = Gen.Select(Word, Gen.Int[0, 9], (w, cut) => Escape(cut == 0 || cut > w.Length ? w : w[..cut]));

    private static readonly Gen<string> TokenValue = Gen.Select(Gen.OneOf(Systems), Gen.OneOf(Codes), Gen.Int[0, 3], (s, c, form) => form switch
    {
        0 => Escape(c),
        1 => "|" + Escape(c),
        2 when s.Length > 0 => s + "|",
        _ => s + "|" + Escape(c),
    });

    private static readonly Gen<string> Compared = Gen.OneOf(Comparisons);

    private static readonly Gen<string> DateValue = Gen.Select(Compared, Moment, (c, m) => c + m);

    private static readonly Gen<string> NumberValue = Gen.Select(Compared, Number, (c, n) => c + n);

    private static readonly Gen<string> ReferenceValue = Gen.OneOf(Gen.OneOf(Targets[..6]), Gen.Const("p1"), Gen.Const("p2"));

    /// <summary>Type, parameter with modifier, value.</summary>
    public static readonly Gen<(string Type, string Name, string Value)> Search = Gen.OneOf(
        For("Patient", StringValue, "name", "family", "given", "phonetic", "name:exact", "family:exact", "name:contains", "address", "address-city", "address-country"),
        For("Patient", TokenValue, "identifier", "telecom", "phone", "email", "identifier:not"),
        For("Patient", Gen.OneOf(Genders), "gender", "gender:not"),
        For("Patient", Gen.OneOf("true", "false", "|true"), "active", "deceased"),
        For("Patient", DateValue, "birthdate", "death-date"),
        For("Patient", ReferenceValue, "general-practitioner"),
        For("Patient", TokenValue, "general-practitioner:identifier"),
        For("Observation", TokenValue, "code", "combo-code", "component-code", "code:not", "status"),
        For("Observation", ReferenceValue, "subject", "patient", "patient:Patient"),
        For("Observation", DateValue, "date"),
        For("Observation", NumberValue, "value-quantity", "component-value-quantity", "combo-value-quantity"),
        For("Observation", NumberValue.Select(n => n + "||mg"), "combo-value-quantity"),
        For("Condition", DateValue, "onset-date"),
        For("Slot", Gen.OneOf(SlotCodes), "status", "status:not"),
        For("Slot", DateValue, "start"),
        For("Slot", Gen.OneOf("s1", "Schedule/s2", "https://clinic.example/fhir/Schedule/s1"), "schedule"),
        For("Appointment", Gen.OneOf(AppointmentCodes), "status", "status:not"),
        For("Appointment", DateValue, "date"),
        For("Appointment", ReferenceValue, "actor", "patient", "practitioner"),
        For("Schedule", DateValue, "date"),
        For("RiskAssessment", NumberValue, "probability"),
        For("ValueSet", Gen.OneOf("http://v.example/a", "urn:oid:1.2", "http://v.example"), "url", "url:below", "url:above"),
        For("Patient", Gen.OneOf("true", "false"), "name:missing", "birthdate:missing"));

    private static Gen<(string, string, string)> For(string type, Gen<string> value, params string[] names) =>
        Gen.Select(Gen.OneOf(names), value.Array[1, 2], (n, v) => (type, n, n.EndsWith(":Patient", StringComparison.Ordinal) ? "p1" : n.EndsWith(":missing", StringComparison.Ordinal) ? v[0] : string.Join(',', v)));

    private static Gen<string> Of(string type, params (string Name, Gen<JsonNode> Value)[] elements)
    {
        var parts = Gen.Const(ImmutableList<(string Name, JsonNode Value)>.Empty);
        foreach (var (name, value) in elements)
        {
            parts = Gen.Select(parts, value, Gen.Bool, (before, v, there) => there ? before.Add((name, v)) : before);
        }
        return parts.Select(all =>
        {
            var resource = new JsonObject { ["resourceType"] = type };
            foreach (var (name, value) in all)
            {
                resource[name] = value.DeepClone();
            }
            return resource.ToJsonString();
        });
    }

    private static Gen<JsonNode> Text(Gen<string> value) => value.Select(v => (JsonNode)v);

    private static Gen<JsonNode> Listed(Gen<JsonNode> item) => item.Array[1, 2].Select(i => (JsonNode)new JsonArray([.. i.Select(x => x.DeepClone())]));

    private static string Escape(string text) => text
        .Replace("\\", "\\\\", StringComparison.Ordinal).Replace(",", "\\,", StringComparison.Ordinal).Replace("|", "\\|", StringComparison.Ordinal).Replace("$", "\\$", StringComparison.Ordinal);

    public static JsonElement Parse(string json) => JsonElement.Parse(json);
}
