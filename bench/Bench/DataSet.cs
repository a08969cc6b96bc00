using System.Globalization;
using System.Text;

namespace Bench;

/// <summary>
/// 10,000 patients of 2 KB (each identifier and birth date once, each family name 20 times), 100 schedules with 200 half-hour slots
/// each, and the slots that clients fight for. Everything follows from its number, the slots' times from the day, too: they are in the
/// coming weeks, as those that people look for.
/// </summary>
internal sealed class DataSet(int patients)
{
    public const int Schedules = 100;
    public const int SlotsOfASchedule = 200;
    public const int NameHits = 20;
    public const int FightSlots = 100;
    public const int FightRounds = 5;

    private static readonly DateTimeOffset FirstSlot = new(TimeProvider.System.GetUtcNow().UtcDateTime.Date.AddDays(7).AddHours(8), TimeSpan.Zero);
    private static readonly string Padding = string.Concat(Enumerable.Repeat("Sehr geehrte Damen und Herren, bitte nach acht Uhr anrufen. ", 40));

    public int Patients { get; } = patients;

    /// <summary>Names that part within their first letters, as people's do.</summary>
    public static string Family(int patient) => $"{ToLetters(patient / NameHits * 911)}mann";

    public static string BirthDate(int patient) => new DateOnly(1950, 1, 1).AddDays(patient).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    public static string Identifier(int patient) => string.Create(CultureInfo.InvariantCulture, $"P-{patient:00000000}");

    /// <param name="schedule">From 0; above <see cref="Schedules"/> those that clients fight over.</param>
    public static string SlotId(int schedule, int slot) => string.Create(CultureInfo.InvariantCulture, $"slot-{schedule}-{slot}");

    /// <summary>Midnight before the sixteen slots of a day.</summary>
    public static string Day(int day) => Text(FirstSlot.Date.AddDays(day));

    public static (string Start, string End) SlotTime(int slot)
    {
        // Sixteen a day, as a practitioner has them.
        var start = FirstSlot.AddDays(slot / 16).AddMinutes(30 * (slot % 16));
        return (Text(start), Text(start.AddMinutes(30)));
    }

    public async Task WriteAsync(string path)
    {
        await using var file = new StreamWriter(path, append: false, new UTF8Encoding(false), 1 << 16) { NewLine = "\n" };
        for (var schedule = 0; schedule < Schedules + FightRounds; schedule++)
        {
            await file.WriteLineAsync($$"""{"resourceType":"Practitioner","id":"doctor-{{schedule}}","active":true,"name":[{"family":"Doctor{{ToLetters(schedule)}}"}]}""");
            await file.WriteLineAsync($$"""{"resourceType":"Schedule","id":"schedule-{{schedule}}","active":true,"actor":[{"reference":"Practitioner/doctor-{{schedule}}"}]}""");
            for (var slot = 0; slot < (schedule < Schedules ? SlotsOfASchedule : FightSlots); slot++)
            {
                await file.WriteLineAsync(Slot(schedule, slot));
            }
        }
        for (var patient = 0; patient < Patients; patient++)
        {
            await file.WriteLineAsync(Patient(patient, $"\"id\":\"patient-{patient}\","));
        }
    }

    /// <summary>More slots for the hundred schedules, behind those that they have.</summary>
    /// <param name="slots">Of each schedule, with those that it has.</param>
    public static async Task WriteMoreSlotsAsync(string path, int slots)
    {
        await using var file = new StreamWriter(path, append: true, new UTF8Encoding(false), 1 << 16) { NewLine = "\n" };
        for (var schedule = 0; schedule < Schedules; schedule++)
        {
            for (var slot = SlotsOfASchedule; slot < slots; slot++)
            {
                await file.WriteLineAsync(Slot(schedule, slot));
            }
        }
    }

    private static string Slot(int schedule, int slot)
    {
        var (start, end) = SlotTime(slot);
        return $$"""{"resourceType":"Slot","id":"{{SlotId(schedule, slot)}}","schedule":{"reference":"Schedule/schedule-{{schedule}}"},"status":"free","start":"{{start}}","end":"{{end}}"}""";
    }

    /// <param name="id">The id property with its comma, or nothing.</param>
    /// <returns>2 KB of JSON.</returns>
    public static string Patient(int number, string id)
    {
        var head = $$"""
            {"resourceType":"Patient",{{id}}"identifier":[{"use":"usual","system":"urn:bench","value":"{{Identifier(number)}}"}],"active":true,"name":[{"use":"official","family":"{{Family(number)}}","given":["Marie","Luise"],"prefix":["Dr."]}],"telecom":[{"system":"phone","value":"+49 151 {{number:00000000}}","use":"mobile"},{"system":"email","value":"patient{{number}}@bench.example"}],"gender":"female","birthDate":"{{BirthDate(number % 30_000)}}","address":[{"use":"home","line":["Musterstraße {{number % 200}}"],"city":"Berlin","postalCode":"1{{number % 10_000:0000}}","country":"DE"}],"maritalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"M"}]},"contact":[{"relationship":[{"text":"
            """;
        const string Tail = "\"" + """}],"name":{"family":"Kontakt"}}],"communication":[{"language":{"coding":[{"system":"urn:ietf:bcp:47","code":"de"}]},"preferred":true}]}""";
        return head + Padding[..Math.Max(0, 2_048 - Encoding.UTF8.GetByteCount(head) - Tail.Length)] + Tail;
    }

    /// <summary>Numbers as four letters, another word for each below 456,976.</summary>
    private static string ToLetters(int number)
    {
        var letters = new char[4];
        for (var i = letters.Length - 1; i >= 0; i--)
        {
            letters[i] = (char)('a' + number % 26);
            number /= 26;
        }
        return new(letters);
    }

    private static string Text(DateTimeOffset at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
