namespace FhirServer.Demo;

/// <param name="Language">BCP 47.</param>
/// <param name="FemaleFamilies">Where a family name has a form of its own for women, in the order of <paramref name="Families"/>; else the same.</param>
internal sealed record DemoLocale(string Language, string[] Families, string[] FemaleFamilies, string[] Women, string[] Men);

/// <summary>Invented combinations of common names: accents, umlauts, letters beyond ASCII, other scripts, names of one letter and of several words.</summary>
internal static class DemoNames
{
    public static readonly DemoLocale German = Of("de",
        ["Müller", "Schröder", "Jäger", "Weiß", "Köhler", "von der Heide", "Großmann", "Lange", "Böttcher", "Fuchs"],
        ["Annelise", "Jutta", "Käthe", "Ursula", "Sabine", "Frieda", "Lena Marie"],
        ["Jörg", "Günther", "Karl-Heinz", "Björn", "Tobias", "Uwe", "Stefan"]);

    public static readonly DemoLocale Russian = new("ru",
        ["Кузнецов", "Соловьёв", "Попов", "Волков", "Лебедев", "Щербаков", "Ковалёв", "Зайцев"],
        ["Кузнецова", "Соловьёва", "Попова", "Волкова", "Лебедева", "Щербакова", "Ковалёва", "Зайцева"],
        ["Анна", "Екатерина", "Ольга", "Наталья", "Юлия", "Алёна"],
        ["Сергей", "Дмитрий", "Алексей", "Фёдор", "Юрий", "Пётр"]);

    public static readonly DemoLocale Kazakh = Of("kk",
        ["Әбдірахманов", "Жұмабаев", "Қасымов", "Сейітов", "Оспанов", "Тұрсынов"],
        ["Әйгерім", "Гүлнәр", "Сәуле", "Жанар"],
        ["Нұрсұлтан", "Бауыржан", "Ербол", "Қайрат"]);

    public static readonly DemoLocale French = Of("fr",
        ["Lefèvre", "Garçon", "Benoît", "Châtelain", "D'Aubigné", "Noël"],
        ["Éloïse", "Hélène", "Anaïs", "Françoise"],
        ["François", "Jérôme", "Loïc", "Étienne"]);

    public static readonly DemoLocale Turkish = Of("tr",
        ["Yılmaz", "Çelik", "Öztürk", "Şahin", "Aydın", "Güneş"],
        ["Ayşe", "Elif", "Gül", "İpek"],
        ["Mehmet", "Çağlar", "Işık", "Ömer"]);

    public static readonly DemoLocale Vietnamese = Of("vi",
        ["Nguyễn", "Trần", "Phạm", "Đặng", "Vũ"],
        ["Thị Hương", "Ánh", "Mỹ Linh"],
        ["Văn Đức", "Quốc Bảo", "Hữu Phước"]);

    public static readonly DemoLocale Spanish = Of("es",
        ["Núñez", "García Márquez", "Peña", "Ibáñez", "O"],
        ["María José", "Inés", "Begoña"],
        ["José Ángel", "Íñigo", "Andrés"]);

    public static readonly DemoLocale[] Berlin = [German, German, German, Turkish, French, Vietnamese, Spanish, Russian];

    public static readonly DemoLocale[] Almaty = [Russian, Russian, Kazakh, Kazakh, German];

    private static DemoLocale Of(string language, string[] families, string[] women, string[] men) => new(language, families, families, women, men);
}
