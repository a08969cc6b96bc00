using NodaTime;

namespace FhirServer.Demo;

/// <param name="Key">Part of the ids: <c>berlin</c>.</param>
/// <param name="Zone">IANA name.</param>
/// <param name="PhonePrefix">Of a range that no subscriber has.</param>
internal sealed record DemoSite(string Key, string Name, string Zone, string Street, string City, string PostalCode, string Country, string PhonePrefix)
{
    public string LocationId => $"demo-site-{Key}";

    public DateTimeZone TimeZone => DateTimeZoneProviders.Tzdb[Zone];
}

/// <param name="Code">In <see cref="DemoSystems.Service"/>.</param>
/// <param name="Specialty">SNOMED CT code, as R4's practice setting codes use them.</param>
internal sealed record DemoService(string Code, string Name, string Specialty, string SpecialtyName);

/// <summary>Wall-clock working time on some weekdays. An end at or before the start lies on the next day.</summary>
internal sealed record DemoHours(IsoDayOfWeek[] Days, LocalTime From, LocalTime To);

/// <param name="Number">1 to 12; part of the ids.</param>
/// <param name="LunchMinutes">0: no break.</param>
internal sealed record DemoPractitioner(
    int Number, string Family, string Given, string Gender, DemoSite Site, DemoService Service, DemoHours[] Hours, LocalTime Lunch, int LunchMinutes, int SlotMinutes)
{
    public string Id => $"demo-practitioner-{Number:00}";

    public string RoleId => $"demo-role-{Number:00}";

    public string ScheduleId => $"demo-schedule-{Number:00}";

    public string RoomId => $"demo-room-{Number:00}";

    public string HealthcareServiceId => $"demo-service-{Site.Key}-{Service.Code}";

    public string Display => $"Dr. {Given} {Family}";
}

internal static class DemoSystems
{
    public const string Service = "https://demo.example/fhir/CodeSystem/service";
    public const string RecordNumber = "https://demo.example/fhir/sid/record-number";
    public const string Staff = "https://demo.example/fhir/sid/staff";
    public const string Snomed = "http://snomed.info/sct";
    public const string TimeZone = "http://hl7.org/fhir/StructureDefinition/timezone";
}

/// <summary>Who works where and when.</summary>
internal static class DemoSites
{
    public static readonly DemoSite Berlin =
        new("berlin", "Lindenhof Clinic Berlin", "Europe/Berlin", "Lindenstraße 12", "Berlin", "10969", "DE", "+49 30 23125");

    public static readonly DemoSite Almaty =
        new("almaty", "Lindenhof Clinic Almaty", "Asia/Almaty", "улица Панфилова 84", "Алматы", "050000", "KZ", "+7 727 355 01");

    public static readonly DemoService General = new("general", "General practice visit", "394814009", "General practice");
    public static readonly DemoService Cardiology = new("cardiology", "Cardiology visit", "394579002", "Cardiology");
    public static readonly DemoService Dermatology = new("dermatology", "Dermatology visit", "394582007", "Dermatology");
    public static readonly DemoService Paediatrics = new("paediatrics", "Paediatric visit", "394537008", "Paediatrics");

    public static readonly DemoSite[] All = [Berlin, Almaty];

    private static readonly IsoDayOfWeek[] Weekdays =
        [IsoDayOfWeek.Monday, IsoDayOfWeek.Tuesday, IsoDayOfWeek.Wednesday, IsoDayOfWeek.Thursday, IsoDayOfWeek.Friday];

    public static readonly DemoPractitioner[] Practitioners =
    [
        new(1, "Schäfer", "Anna", "female", Berlin, General, [On(Weekdays, 8, 16)], new(12, 0), 60, 30),
        new(2, "Krüger", "Matthias", "male", Berlin, General, [On(Weekdays, 10, 18)], new(13, 30), 30, 30),
        new(3, "Yılmaz", "Elif", "female", Berlin, Cardiology, [On([IsoDayOfWeek.Monday, IsoDayOfWeek.Wednesday, IsoDayOfWeek.Friday], 9, 17)], new(12, 30), 45, 45),
        new(4, "Nowak", "Paweł", "male", Berlin, Dermatology, [On([IsoDayOfWeek.Tuesday, IsoDayOfWeek.Thursday], 8, 19)], new(13, 0), 60, 20),
        new(5, "Lefèvre", "Chloé", "female", Berlin, Paediatrics, [On(Weekdays, 8, 14)], new(11, 0), 20, 20),
        // The night clinic: hours over midnight, and the one calendar that meets the hour a clock change takes or gives.
        new(6, "Hoffmann", "Jonas", "male", Berlin, General, [On([IsoDayOfWeek.Friday, IsoDayOfWeek.Saturday], 20, 4)], new(0, 0), 30, 30),
        new(7, "Ахметова", "Айгуль", "female", Almaty, General, [On(Weekdays, 9, 18)], new(13, 0), 60, 30),
        new(8, "Смирнов", "Олег", "male", Almaty, Cardiology, [On([IsoDayOfWeek.Tuesday, IsoDayOfWeek.Thursday, IsoDayOfWeek.Saturday], 8, 15)], new(12, 0), 30, 40),
        new(9, "Ким", "Виктория", "female", Almaty, Dermatology, [On(Weekdays, 12, 20)], new(16, 0), 40, 20),
        new(10, "Нурланов", "Ерлан", "male", Almaty, Paediatrics, [On(Weekdays, 8, 16)], new(12, 30), 30, 30),
        new(11, "Иванова", "Светлана", "female", Almaty, Paediatrics, [On([IsoDayOfWeek.Saturday, IsoDayOfWeek.Sunday], 9, 14)], default, 0, 30),
        new(12, "Müller-Öztürk", "Deniz", "other", Almaty, General,
            [On([IsoDayOfWeek.Monday, IsoDayOfWeek.Wednesday], 7, 12), On([IsoDayOfWeek.Friday], 14, 21)], new(9, 30), 15, 15),
    ];

    private static DemoHours On(IsoDayOfWeek[] days, int from, int to) => new(days, new(from, 0), new(to, 0));
}
