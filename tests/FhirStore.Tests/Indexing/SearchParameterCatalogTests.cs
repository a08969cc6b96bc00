using FhirStore.Indexing;
using FhirStore.Model;
using Hl7.Fhir.Model;

namespace FhirStore.Tests.Indexing;

public sealed class SearchParameterCatalogTests
{
    [Fact]
    public void EveryParameterOfR4_CompilesToPathsThatItsTypeCanRead()
    {
        var empty = new List<string>();
        foreach (var type in R4Model.ResourceTypes)
        {
            foreach (var parameter in SearchParameterCatalog.For(type).All)
            {
                if (parameter.Paths.IsEmpty || (parameter.Kind == SearchKind.Composite && (parameter.Parts.IsEmpty || parameter.Parts.Any(p => p.Paths.IsEmpty))))
                {
                    empty.Add($"{type}.{parameter.Name}");
                }
            }
        }
        Assert.Equal(["Location.near"], empty);
    }

    [Fact]
    public void NoParameterOfR4_IsLost()
    {
        var missing = ModelInfo.SearchParameters
            .Where(p => R4Model.IsResourceType(p.Resource) && SearchParameterCatalog.For(p.Resource!).Find(p.Name!) is null)
            .Select(p => $"{p.Resource}.{p.Name}");
        Assert.Empty(missing);
        Assert.True(R4Model.ResourceTypes.Sum(t => SearchParameterCatalog.For(t).All.Length) > 1_698 + (5 * 140));
    }

    [Theory]
    [InlineData("Patient", "phone", "telecom.where(system='phone')")]
    [InlineData("Patient", "death-date", "deceasedDateTime")]
    [InlineData("Appointment", "patient", "participant.actor.where(resolve() is Patient)")]
    [InlineData("Observation", "value-string", "valueString", "valueCodeableConcept.text")]
    [InlineData("Condition", "onset-date", "onsetDateTime", "onsetPeriod")]
    [InlineData("Procedure", "date", "performedDateTime", "performedPeriod")]
    [InlineData("Bundle", "composition", "entry[0].resource")]
    [InlineData("Library", "depends-on", "relatedArtifact.where(type='depends-on').resource")]
    [InlineData("Slot", "_tag", "meta.tag")]
    public void Paths_AreThoseOfTheExpression_ForItsOwnTypeOnly(string type, string name, params string[] paths) =>
        Assert.Equal(paths, SearchParameterCatalog.For(type).Find(name)!.Paths.Select(p => p.Text));

    [Theory]
    [InlineData("Patient.name.frob")]
    [InlineData("Patient.name.where(use = 'official').exists()")]
    [InlineData("Patient.name.first()")]
    [InlineData("(Patient.name")]
    [InlineData("Patient.name nonsense")]
    public void AnExpressionThatCannotBeRead_IsRefused_NotMisread(string expression) =>
        Assert.Throws<FormatException>(() => PathCompiler.Compile(R4Model.Find("Patient")!, expression));
}
