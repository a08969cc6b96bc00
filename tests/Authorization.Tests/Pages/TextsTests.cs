using System.Text.RegularExpressions;
using Authorization.Pages;

namespace Authorization.Tests.Pages;

public sealed partial class TextsTests
{
    [Fact]
    public void BothLanguages_SayTheSameThings()
    {
        var english = Texts.Of("en");
        var russian = Texts.Of("ru");

        Assert.Equal(english.Keys.Order(StringComparer.Ordinal), russian.Keys.Order(StringComparer.Ordinal));
        Assert.All(english.Keys, key =>
        {
            Assert.NotEmpty(english[key].Trim());
            Assert.NotEmpty(russian[key].Trim());
            Assert.Equal(Places(english[key]), Places(russian[key]));
        });
    }

    [Fact]
    public void RussianTexts_AreRussian() =>
        Assert.All(Texts.Of("ru").Keys, key => Assert.Matches("[а-яА-Я]", Texts.Of("ru")[key]));

    private static IEnumerable<string> Places(string text) => Place().Matches(text).Select(match => match.Value).Distinct().Order(StringComparer.Ordinal);

    [GeneratedRegex(@"\{\d\}")]
    private static partial Regex Place();
}
