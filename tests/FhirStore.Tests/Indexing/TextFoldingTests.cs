using CsCheck;
using FhirStore.Indexing;

namespace FhirStore.Tests.Indexing;

public sealed class TextFoldingTests
{
    [Theory]
    [InlineData("Müller", "muller")]
    [InlineData("Mu\u0308ller", "muller")]
    [InlineData("ÅNGSTRÖM", "angstrom")]
    [InlineData("ß-Straße", "ss-strasse")]
    [InlineData("Łukasz", "łukasz")] // the stroke is no combining mark
    [InlineData("ИВАНОВА Й", "иванова и")]
    [InlineData("Νίκος ΣΟΦΟΣ", "νικοσ σοφοσ")]
    [InlineData("İzmir", "izmir")]
    [InlineData("X Æ", "x æ")]
    [InlineData("ﬁn", "fin")]
    [InlineData("Van  Dyke", "van  dyke")]
    [InlineData("Nguyễn", "nguyen")]
    [InlineData("𐐀bc", "𐐨bc")]
    [InlineData("", "")]
    public void Fold_CaseAccentsAndLigatures(string text, string folded) => Assert.Equal(folded, TextFolding.Fold(text));

    [Fact]
    public void Fold_Hangul_SyllablesAreTheirJamo() => Assert.Equal("\u1112\u1161\u11ab", TextFolding.Fold("한"));

    [Fact]
    public void Fold_OfAnyText_FoldsNoFurther() => Gen.String.Sample(text =>
    {
        var folded = TextFolding.Fold(text);
        return TextFolding.Fold(folded) == folded;
    });

    [Fact]
    public void Fold_OfAPrefix_IsAPrefixOfTheFold() => Gen.Select(Gen.String[Gen.Char["aÄßﬁ한éΣİ̈ Z"], 0, 12], Gen.Int[0, 12]).Sample((text, length) =>
        TextFolding.Fold(text).StartsWith(TextFolding.Fold(text[..Math.Min(length, text.Length)]), StringComparison.Ordinal));
}
