using CsCheck;
using NodaTime;
using Subscriptions.Reminders.Texts;

namespace Subscriptions.Tests.Reminders.Texts;

public sealed class TextTests
{
    private static readonly ZonedDateTime Visit = new LocalDateTime(2026, 5, 5, 9, 30).InZoneStrictly(DateTimeZoneProviders.Tzdb["Europe/Berlin"]);
    private static readonly LanguageSet Built = LanguageSet.Load(null, "en");

    [Fact]
    public void BothLanguages_HaveTheSameTexts_AndEachIsUsed()
    {
        Assert.Equal(["en", "ru"], Built.All.Select(language => language.Code));
        Assert.Equal(["English", "Русский"], Built.All.Select(language => language.Name));
    }

    [Theory]
    [InlineData("ru", "ru")]
    [InlineData("ru-RU", "ru")]
    [InlineData("RU_kz", "ru")]
    [InlineData("en-US", "en")]
    [InlineData("kk", "en")]
    [InlineData("", "en")]
    [InlineData(null, "en")]
    public void Language_FollowsItsTag(string? tag, string code) => Assert.Equal(code, Built.Of(tag).Code);

    [Fact]
    public void English_SaysWhenAndWho()
    {
        var text = Render("en", "sms.reminder", ("clinic", "Lindenhof Clinics"), ("answer", "Reply C to confirm, X to cancel, STOP to end."), ("link", "https://fhir.lindenhof-clinics.example/m/AbCdEfGhIjKlMnOpQrStUv"));
        Assert.Equal("Lindenhof Clinics: visit on Tue 5 May at 09:30. Reply C to confirm, X to cancel, STOP to end. https://fhir.lindenhof-clinics.example/m/AbCdEfGhIjKlMnOpQrStUv", text);
        Assert.True(SmsLength.Of(text) is { IsGsm7: true, Segments: 1 }, $"{SmsLength.Of(text)}");
    }

    [Fact]
    public void EveryDefaultEnglishSms_FitsIntoOne() => Assert.All(
        (string[])["sms.reminder", "sms.booked", "sms.changed", "sms.cancelled"],
        key => Assert.True(SmsLength.Of(Render("en", key, ("clinic", "Lindenhof Clinics"), ("answer", "Reply C to confirm, X to cancel, STOP to end."), ("phone", "+49 30 23125 000"), ("link", "https://fhir.lindenhof.example/m/AbCdEfGhIjKlMnOpQrStUv"))) is { IsGsm7: true, Units: <= 160 }));

    [Fact]
    public void Russian_InflectsItsMonths() =>
        Assert.Equal("Лінза: ваш приём назначен на вторник, 5 мая 2026 г. в 09:30.", Render("ru", "mail.reminder", ("clinic", "Лінза")).Split('\n')[0]);

    [Fact]
    public void OptionalPart_GoesWithItsValue()
    {
        Assert.Equal("Klinik: your visit on Tue 5 May at 09:30 is cancelled.", Render("en", "sms.cancelled", ("clinic", "Klinik")));
        Assert.Equal("Klinik: your visit on Tue 5 May at 09:30 is cancelled. Questions: +49 30 1.", Render("en", "sms.cancelled", ("clinic", "Klinik"), ("phone", "+49 30 1")));
    }

    [Fact]
    public void Template_DropsPartsFromTheEnd()
    {
        Assert.True(Template.TryParse("a[ b][ c]", out var template));
        Assert.Equal((2, "a b c", "a b", "a"), (template.Options, template.Text(_ => ""), template.Text(_ => "", 1), template.Text(_ => "", 0)));
    }

    [Theory]
    [InlineData("a[b")]
    [InlineData("a]")]
    [InlineData("a[b[c]]")]
    [InlineData("a{b")]
    [InlineData("{}")]
    [InlineData("a}")]
    public void Template_WithBracketsThatDoNotMatch_IsRefused(string text) => Assert.False(Template.TryParse(text, out _));

    [Fact]
    public void Html_IsEncoded_AndLinksHaveNames()
    {
        Assert.True(Template.TryParse("Hello {given}.\nSecond.\n\n{link|Confirm}", out var template));
        var html = template.Html(place => place == "link" ? "https://x.example/m/a?b&c" : "\"<b>&");
        Assert.Equal("<p>Hello &quot;&lt;b&gt;&amp;.<br>\nSecond.</p>\n<p><a href=\"https://x.example/m/a?b&amp;c\">Confirm</a></p>", html);
    }

    [Theory]
    [InlineData("Anna", "Anna")]
    [InlineData("  Anna \r\n Maria\t ", "Anna Maria")]
    [InlineData("Anna\r\nBcc: evil@example.org", "Anna Bcc: evil@ example. org")]
    [InlineData("{link}[x]", "link x")]
    [InlineData("<a href='https://evil.example/x'>click</a>", "a href='https: / /evil. example/x' click /a")]
    [InlineData("www.evil.example", "www. evil. example")]
    [InlineData("Dr.Müller", "Dr. Müller")]
    [InlineData("St. Mary's, Ward 12.5", "St. Mary's, Ward 12.5")]
    [InlineData("\u202Egnp.exe\u202C", "gnp. exe")]
    [InlineData("zero\u200Bwidth\u0000nul\uFEFF", "zero width nul")]
    [InlineData("日本。語", "日本。 語")]
    [InlineData(null, "")]
    public void Values_AreNeutralised(string? value, string expected) => Assert.Equal(expected, Neutral.Text(value));

    [Fact]
    public void AnyValue_IsOneLineWithoutLinksOrMarkup() => Gen.String.Sample(
        value =>
        {
            var text = Neutral.Text(value);
            Assert.True(text.Length <= 200);
            Assert.DoesNotContain(text, c => char.IsControl(c) || c is '<' or '>' or '{' or '}' or '[' or ']');
            Assert.DoesNotContain("://", text, StringComparison.Ordinal);
            Assert.DoesNotMatch(@"\S\.\p{L}", text);
            // A value is put in once: whatever it holds, it never becomes a place.
            Assert.True(Template.TryParse("[{given}]{link}", out var template));
            Assert.Equal(text + "L", template.Text(place => place == "link" ? "L" : text));
        },
        iter: 20_000);

    [Theory]
    [InlineData("", true, 0, 0)]
    [InlineData("Hello @£ üß", true, 11, 1)]
    [InlineData("€{}", true, 6, 1)]
    [InlineData("Привет", false, 6, 1)]
    [InlineData("😀", false, 2, 1)]
    public void SmsLength_KnowsTheAlphabet(string text, bool gsm, int units, int segments)
    {
        var length = SmsLength.Of(text);
        Assert.Equal((gsm, units, Math.Max(1, segments)), (length.IsGsm7, length.Units, length.Segments));
    }

    [Theory]
    [InlineData('a', 160, 1)]
    [InlineData('a', 161, 2)]
    [InlineData('a', 306, 2)]
    [InlineData('a', 307, 3)]
    [InlineData('я', 70, 1)]
    [InlineData('я', 71, 2)]
    [InlineData('я', 134, 2)]
    [InlineData('я', 135, 3)]
    public void SmsLength_CountsSegments(char c, int count, int segments) => Assert.Equal(segments, SmsLength.Of(new(c, count)).Segments);

    [Fact]
    public void Simplify_KeepsTypographyOutOfUcs2() =>
        Assert.True(SmsLength.Of(SmsLength.Simplify("It’s – “here”… «now»\u00a0.")).IsGsm7);

    [Theory]
    [InlineData("de.json", "{}", "the text 'language' is missing")]
    [InlineData("en.json", """{"sms.reminder":"{clinic"}""", "the brackets of 'sms.reminder' do not match")]
    [InlineData("en.json", """{"sms.reminder":"{diagnosis}"}""", "'sms.reminder' has the unknown place {diagnosis}")]
    [InlineData("en.json", """{"sms.remider":"x"}""", "there is no text 'sms.remider'")]
    [InlineData("en.json", """{"days":"Mon,Tue"}""", "'days' must be 7 words")]
    [InlineData("en.json", "[]", "must be one JSON object")]
    [InlineData("en.json", "{", "must be one JSON object")]
    public void WrongFile_IsToldByNameAndText(string name, string content, string expected)
    {
        var error = Assert.Throws<FormatException>(() => Load(name, content));
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void File_ReplacesTheTextsItHas_AndAddsALanguage()
    {
        var languages = Load("en.json", """{"time":"{h}:{mm} {ampm}","sms.reminder":"{clinic} {time} {given}"}""");
        Assert.Equal("K 9:30 AM Anna", languages.Of("en")["sms.reminder"].Text(languages.Of("en").At(Visit, Value(("clinic", "K"), ("given", "Anna")))));
        Assert.Equal("Your visit is on Tue 5 May at 9:30 AM.", languages.Of("en")["push.reminder"].Text(languages.Of("en").At(Visit, _ => "")));
        using var english = new StreamReader(typeof(LanguageSet).Assembly.GetManifestResourceStream("reminders/en")!);
        var german = english.ReadToEnd().Replace("English", "Deutsch", StringComparison.Ordinal);
        Assert.Equal("Deutsch", Load("de.json", german).Of("de-AT").Name);
        Assert.Throws<FormatException>(() => LanguageSet.Load(null, "de"));
        Assert.Throws<FormatException>(() => LanguageSet.Load("/no/such/folder", "en"));
    }

    private static LanguageSet Load(string name, string content)
    {
        var folder = Directory.CreateTempSubdirectory("texts-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, name), content);
            return LanguageSet.Load(folder, "en");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Render(string language, string key, params (string Name, string Value)[] values) => Built.Of(language)[key].Text(Built.Of(language).At(Visit, Value(values)));

    private static Func<string, string> Value(params (string Name, string Value)[] values) => place => values.FirstOrDefault(value => value.Name == place).Value ?? "";
}
