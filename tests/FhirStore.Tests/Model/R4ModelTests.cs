using System.Text;
using FhirStore.Model;
using Hl7.Fhir.Model;
using Hl7.Fhir.Specification;
using Hl7.Fhir.Introspection;
using Task = System.Threading.Tasks.Task;

namespace FhirStore.Tests.Model;

/// <summary>The SDK's own inspector is the oracle: it reads the same attributes by other code.</summary>
public sealed class R4ModelTests
{
    private static readonly string[] DataTypes =
        ("Address Age Annotation Attachment CodeableConcept Coding ContactPoint Count Distance Duration HumanName Identifier Money Period " +
        "Quantity Range Ratio Reference SampledData Signature Timing ContactDetail Contributor DataRequirement Expression ParameterDefinition " +
        "RelatedArtifact TriggerDefinition UsageContext Dosage Meta Extension Narrative ElementDefinition MarketingStatus Population " +
        "ProdCharacteristic ProductShelfLife SubstanceAmount").Split(' ');

    /// <summary>What R4's definitions say and the SDK's classes, which serve several releases, do not.</summary>
    private static readonly HashSet<string> MandatoryInR4Only = ["Signature.type", "Signature.when", "Signature.who"];

    [Fact]
    public void ResourceTypes_AreThoseOfTheSdk()
    {
        var expected = ModelInfo.SupportedResources.Order(StringComparer.Ordinal);
        Assert.Equal(expected, R4Model.ResourceTypes);
        Assert.Equal(146, R4Model.ResourceTypes.Count);
        Assert.All(R4Model.ResourceTypes, name => Assert.True(R4Model.IsResourceType(name) && R4Model.Find(name)!.IsResource));
    }

    [Theory]
    [InlineData("DomainResource")]
    [InlineData("Resource")]
    [InlineData("HumanName")]
    [InlineData("patient")]
    [InlineData("")]
    [InlineData(null)]
    public void IsResourceType_OtherNames_No(string? name) => Assert.False(R4Model.IsResourceType(name));

    [Theory]
    [InlineData("Patient.contact")]
    [InlineData("CodeableReference")]
    [InlineData("integer64")]
    [InlineData("System.String")]
    [InlineData("Nonsense")]
    public void Find_NoTypeOfR4_Null(string name) => Assert.Null(R4Model.Find(name));

    [Fact]
    public void EveryElementOfEveryType_IsWhatTheSdkInspectorSays()
    {
        var inspector = ModelInfo.ModelInspector;
        var differences = new List<string>();
        var seen = new HashSet<string>();
        foreach (var name in R4Model.ResourceTypes.Concat(DataTypes))
        {
            Compare(R4Model.Find(name)!, inspector.FindClassMapping(name)!, seen, differences);
        }
        Assert.Empty(differences);
        Assert.True(seen.Count > 600, $"Only {seen.Count} types were reached.");
    }

    private static void Compare(TypeModel type, ClassMapping mapping, HashSet<string> seen, List<string> differences)
    {
        if (type.IsPrimitive || !seen.Add(type.Name))
        {
            return;
        }
        var expected = mapping.PropertyMappings.Select(p => p.Name).Order(StringComparer.Ordinal).ToArray();
        var actual = type.Elements.Select(e => e.PathName).Distinct().Order(StringComparer.Ordinal).ToArray();
        if (!expected.SequenceEqual(actual))
        {
            differences.Add($"{type.Name}: {string.Join(",", expected.Except(actual))} / {string.Join(",", actual.Except(expected))}");
        }
        foreach (var element in type.Elements)
        {
            var property = mapping.PropertyMappings.FirstOrDefault(p => p.Name == element.PathName);
            var isMandatory = property is { IsMandatoryElement: true } || MandatoryInR4Only.Contains($"{type.Name}.{element.PathName}");
            if (property is null || property.IsCollection != element.IsList || isMandatory != (element.Min == 1) ||
                property.Choice == ChoiceType.DatatypeChoice != element.IsChoice || property.Choice == ChoiceType.ResourceChoice != (element.Type is null))
            {
                differences.Add($"{type.Name}.{element.JsonName}");
                continue;
            }
            var its = element.IsChoice || element.Type is null ? null : property.PropertyTypeMapping;
            if (its is not null && its.Name != element.Type!.Name)
            {
                differences.Add($"{type.Name}.{element.JsonName} is {its.Name}, not {element.Type.Name}");
            }
            else if (its is { IsBackboneType: true })
            {
                Compare(element.Type!, its, seen, differences);
            }
        }
    }

    [Fact]
    public void Utf8Lookup_EveryElement_SameAsByText()
    {
        foreach (var type in R4Model.ResourceTypes.Concat(DataTypes).Select(name => R4Model.Find(name)!))
        {
            foreach (var element in type.Elements)
            {
                Assert.Same(element, type.Element(Encoding.UTF8.GetBytes(element.JsonName)));
                Assert.Same(element, type.Element(element.JsonName));
                Assert.Contains(element, type.ByPathName(element.PathName));
                Assert.Null(type.Element(Encoding.UTF8.GetBytes(element.JsonName + "x")));
                Assert.Null(type.Element(Encoding.UTF8.GetBytes(element.JsonName.ToUpperInvariant() + "!")));
            }
            Assert.Null(type.Element([]));
        }
    }

    [Fact]
    public void Backbone_ContentReferenceAndRecursion_PointAtOneType()
    {
        var observation = R4Model.Find("Observation")!;
        Assert.Same(observation.Element("referenceRange")!.Type, observation.Element("component")!.Type!.Element("referenceRange")!.Type);
        var item = R4Model.Find("Questionnaire")!.Element("item")!.Type!;
        Assert.Equal("Questionnaire.item", item.Name);
        Assert.Same(item, item.Element("item")!.Type);
        Assert.Equal("Patient.contact", R4Model.Find("Patient")!.Element("contact")!.Type!.Name);
    }

    [Fact]
    public void Extension_OpenChoice_Has50Types()
    {
        var choices = R4Model.Find("Extension")!.ByPathName("value");
        Assert.Equal(50, choices.Count);
        Assert.All(choices, c => Assert.True(c is { IsChoice: true, IsList: false, Min: 0 } && c.JsonName == "value" + char.ToUpperInvariant(c.Type!.Name[0]) + c.Type.Name[1..]));
        Assert.Null(R4Model.Find("Extension")!.Element("valueCodeableReference"));
    }

    [Fact]
    public void AnyResource_HasNoType()
    {
        Assert.Null(R4Model.Find("Patient")!.Element("contained")!.Type);
        Assert.Null(R4Model.Find("Bundle")!.Element("entry")!.Type!.Element("resource")!.Type);
    }

    [Fact]
    public void RequiredCodes_AreR4s()
    {
        Assert.Equal(["female", "male", "other", "unknown"], R4Model.Find("Patient")!.Element("gender")!.RequiredCodes.Order(StringComparer.Ordinal));
        Assert.Equal(["<", "<=", ">", ">="], R4Model.Find("Quantity")!.Element("comparator")!.RequiredCodes.Order(StringComparer.Ordinal));
        Assert.Equal(
            ["arrived", "booked", "cancelled", "checked-in", "entered-in-error", "fulfilled", "noshow", "pending", "proposed", "waitlist"],
            R4Model.Find("Appointment")!.Element("status")!.RequiredCodes.Order(StringComparer.Ordinal));
        Assert.DoesNotContain("subscription-notification", R4Model.Find("Bundle")!.Element("type")!.RequiredCodes);
        Assert.Contains("Slot", R4Model.Find("CapabilityStatement")!.Element("rest")!.Type!.Element("resource")!.Type!.Element("type")!.RequiredCodes);
        Assert.Empty(R4Model.Find("Patient")!.Element("language")!.RequiredCodes);
    }

    [Fact]
    public void ReferenceTargets_AreR4s()
    {
        var actor = R4Model.Find("Appointment")!.Element("participant")!.Type!.Element("actor")!;
        Assert.Equal(["Device", "HealthcareService", "Location", "Patient", "Practitioner", "PractitionerRole", "RelatedPerson"], actor.ReferenceTargets.Order(StringComparer.Ordinal));
        Assert.Equal(["Schedule"], R4Model.Find("Slot")!.Element("schedule")!.ReferenceTargets);
        Assert.Empty(R4Model.Find("Observation")!.Element("focus")!.ReferenceTargets);
        Assert.Empty(R4Model.Find("Patient")!.Element("name")!.ReferenceTargets);
    }

    [Fact]
    public void RedirectedTypes_AreThoseOfR4()
    {
        Assert.Equal("url", R4Model.Find("Attachment")!.Element("url")!.Type!.Name);
        Assert.Equal("unsignedInt", R4Model.Find("Attachment")!.Element("size")!.Type!.Name);
        Assert.Equal("canonical", R4Model.Find("Meta")!.Element("profile")!.Type!.Name);
        Assert.Equal("id", R4Model.Find("Patient")!.Element("id")!.Type!.Name);
        Assert.Equal("string", R4Model.Find("HumanName")!.Element("id")!.Type!.Name);
        Assert.Null(R4Model.Find("Attachment")!.Element("height"));
    }

    [Fact]
    public void Primitive_HasIdAndExtension()
    {
        var date = R4Model.Find("date")!;
        Assert.True(date.IsPrimitive);
        Assert.Equal(["id", "extension"], date.Elements.Select(e => e.JsonName));
    }

    [Fact]
    public void ElementsNamedValue_AreNeverUris()
    {
        // CanonicalJson rewrites any urn:uuid: it meets, save under this name.
        string[] uris = ["uri", "url", "oid", "uuid", "canonical"];
        Assert.All(AllTypes(), type => Assert.False(type.Element("value") is { Type: { } its } && uris.Contains(its.Name), type.Name));
    }

    [Fact]
    public async Task FirstUse_FromManyThreads_GivesOneModel()
    {
        string[] names = ["MolecularSequence", "Contract", "TestScript"];
        var found = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(() =>
        {
            var type = R4Model.Find(names[i % names.Length])!;
            return (type, type.Elements);
        })));
        Assert.All(found.GroupBy(f => f.type.Name), group =>
        {
            Assert.Single(group.Select(g => g.type).Distinct());
            Assert.Single(group.Select(g => g.Elements).Distinct());
        });
    }

    private static HashSet<TypeModel> AllTypes()
    {
        var seen = new HashSet<TypeModel>();
        var open = new Stack<TypeModel>(R4Model.ResourceTypes.Select(name => R4Model.Find(name)!));
        while (open.TryPop(out var type))
        {
            if (seen.Add(type))
            {
                foreach (var element in type.Elements.Where(e => e.Type is not null))
                {
                    open.Push(element.Type!);
                }
            }
        }
        return seen;
    }
}
