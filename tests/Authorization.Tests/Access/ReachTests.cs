using System.Collections.Immutable;
using System.Text.Json;
using Authorization.Access;
using Authorization.Scopes;
using CsCheck;
using FhirCore;
using FhirStore.Access;
using FhirStore.Search;

namespace Authorization.Tests.Access;

/// <summary>The pure decision, compiled, against sets worked out one resource at a time.</summary>
public sealed class ReachTests
{
    private static readonly RestrictionCompiler Compiler = new(new SearchOptions { BaseUrl = "https://clinic.example/fhir" }, TimeProvider.System);
    private static readonly string[] Types = ["Patient", "Observation", "Location", "Encounter", "AuditEvent"];

    private sealed record Thing(string Type, string Id, string? Patient, string? Organization, string? Code, string? Label)
    {
        public JsonElement Json
        {
            get
            {
                var security = Label is null ? "" : $$""","security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"{{Label}}"}]""";
                var more = Type switch
                {
                    "Patient" or "Location" when Organization is not null => $$""","managingOrganization":{"reference":"Organization/{{Organization}}"}""",
                    "Encounter" when Organization is not null => $$""","serviceProvider":{"reference":"https://clinic.example/fhir/Organization/{{Organization}}"}""",
                    _ => "",
                };
                if (Patient is not null && Type is "Observation" or "Encounter")
                {
                    more += $$""","subject":{"reference":"Patient/{{Patient}}/_history/3"}""";
                }
                if (Patient is not null && Type == "AuditEvent")
                {
                    more += $$""","entity":[{"what":{"reference":"Patient/{{Patient}}"} }]""";
                }
                if (Code is not null && Type == "Observation")
                {
                    more += $$""","code":{"coding":[{"system":"urn:c","code":"{{Code}}"}]}""";
                }
                return JsonElement.Parse($$"""{"resourceType":"{{Type}}","id":"ignored","meta":{"versionId":"1"{{security}} }{{more}} }""");
            }
        }
    }

    private sealed record World(string Scopes, bool IsClient, HeldRole[] Roles, string? Self, string? Launch, bool BreakGlass, string[] Denying, Thing Thing, Permissions Needed);

    private static readonly Gen<string> AnId = OneOf("1", "2", "3");
    private static readonly Gen<string?> MaybeId = OneOf<string?>(null, "1", "2", "3");

    private static readonly Gen<string> AScope =
        from level in OneOf("patient", "user", "system")
        from type in OneOf("*", "Patient", "Observation", "Location", "Encounter", "AuditEvent")
        from letters in Gen.Int[1, 31]
        from code in OneOf<string?>(null, null, "a", "b")
        select $"{level}/{type}.{string.Concat("cruds".Where((_, i) => (letters & (1 << i)) != 0))}{(code is null ? "" : $"?code=urn:c|{code}")}";

    private static readonly Gen<World> AnyWorld =
        from scopes in AScope.Array[0, 3]
        from isClient in Gen.Bool
        from roles in (from role in Gen.Enum<Role>() from at in MaybeId select new HeldRole(role, at)).Array[0, 3]
        from people in Gen.Select(MaybeId, MaybeId)
        from now in Gen.Select(Gen.Bool, AnId.Array[0, 2])
        from thing in Gen.Select(OneOf(Types), AnId, MaybeId, MaybeId, OneOf<string?>(null, "a", "b"), OneOf<string?>(null, null, "N", "R", "V"))
        from needed in OneOf(Permissions.Create, Permissions.Read, Permissions.Update, Permissions.Delete, Permissions.Search)
        select new World(string.Join(' ', scopes), isClient, roles, people.Item1, people.Item2, now.Item1, now.Item2,
            new(thing.Item1, thing.Item2, thing.Item3, thing.Item4, thing.Item5, thing.Item6), needed);

    [Fact]
    public void Reach_AnyGrantAndResource_IsWhatTheSetsSay() => AnyWorld.Sample(world =>
    {
        var user = world.IsClient ? null : new GrantedUser("account", world.Self is null ? null : new ResourceKey("Patient", world.Self), [.. world.Roles]);
        var grant = new Grant("client", SmartScopes.Parse(world.Scopes), user, world.Launch is null ? null : new(world.Launch));
        var now = new Circumstances(world.BreakGlass, _ => world.BreakGlass ? [] : [.. world.Denying]);
        var reach = Compiler.Compile(world.Thing.Type, grant.Reach(world.Needed, world.Thing.Type, now));
        var admitted = reach.Admits(new(world.Thing.Type, world.Thing.Id), world.Thing.Json);
        if (admitted && !grant.Allows(world.Needed, world.Thing.Type))
        {
            return false; // a type that is refused as a whole has nothing within reach
        }
        return admitted == Expected(world);
    }, iter: 50_000);

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static bool Expected(World world)
    {
        var thing = world.Thing;
        var patient = thing.Type == "Patient" ? thing.Id : thing.Type == "Location" ? null : thing.Patient;
        foreach (var scope in world.Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = scope.Split('/', '.', '?');
            var letters = parts[2];
            var covers = (parts[1] == "*" || parts[1] == thing.Type) && letters.Contains(Letter(world.Needed), StringComparison.Ordinal)
                && (parts.Length < 4 || (thing.Type == "Observation" && thing.Code is not null && parts[3] == $"code=urn:c|{thing.Code}"));
            if (!covers)
            {
                continue;
            }
            var granted = parts[0] switch
            {
                "system" => world.IsClient,
                "user" => ByRoles(world, patient),
                _ => ByRoles(world, patient) && world.Launch is not null && (thing.Type == "Location" || patient == world.Launch),
            };
            if (granted)
            {
                return true;
            }
        }
        return false;
    }

    private static bool ByRoles(World world, string? patient) => !world.IsClient && world.Roles.Any(held => ByRole(world, held, patient));

    private static bool ByRole(World world, HeldRole held, string? patient)
    {
        var thing = world.Thing;
        var letters = (held.Role, thing.Type) switch
        {
            (Role.Patient, "Patient" or "Observation" or "Encounter" or "Location") => "rs",
            (Role.Practitioner, "Patient" or "Observation" or "Encounter") => "crus",
            (Role.Practitioner or Role.Receptionist, "Location") => "rs",
            (Role.Receptionist, "Patient") => "crus",
            (Role.Manager or Role.Administrator, "Location") => "crus",
            (Role.Auditor, "AuditEvent") => "rs",
            _ => "",
        };
        var letter = Letter(world.Needed);
        if (!letters.Contains(letter, StringComparison.Ordinal))
        {
            return false;
        }
        if (held.Role == Role.Patient && thing.Type != "Location")
        {
            return world.Self is not null && patient == world.Self;
        }
        if (held.Organization is { } at && thing.Type is "Patient" or "Encounter" or "Location" && !(thing.Type == "Location" && letter is 'r' or 's') && held.Organization is not null && thing.Organization != held.Organization)
        {
            return false;
        }
        var hidden = held.Role == Role.Practitioner ? thing.Label == "V" && !world.BreakGlass : thing.Label is "R" or "V";
        var denied = !world.BreakGlass && patient is not null && world.Denying.Contains(patient);
        return !hidden && !denied;
    }

    private static char Letter(Permissions needed) => needed switch
    {
        Permissions.Create => 'c',
        Permissions.Read => 'r',
        Permissions.Update => 'u',
        Permissions.Delete => 'd',
        _ => 's',
    };

    [Theory]
    [InlineData("Observation", "category=laboratory", true)]
    [InlineData("Observation", "category=http://terminology.hl7.org/CodeSystem/observation-category%7Claboratory&status=final", true)]
    [InlineData("Observation", "category:not=laboratory", false)]
    [InlineData("Observation", "subject.name=a", false)]
    [InlineData("Observation", "_has:Provenance:target:agent=x", false)]
    [InlineData("Observation", "_count=1", false)]
    [InlineData("Observation", "unheard-of=1", false)]
    [InlineData("Patient", "category=laboratory", false)]
    public void Filters_OfGranularScopes_AreEnforceableOrReachNothing(string type, string filter, bool enforceable)
    {
        Assert.Equal(enforceable, Compiler.IsEnforceable(type, filter));
        var grant = new Grant("client", SmartScopes.Parse($"system/{type}.rs?{filter}"));
        Assert.Equal(!enforceable, Compiler.Compile(type, grant.Reach(Permissions.Read, type, Circumstances.Plain)).IsNothing);
    }

    [Fact]
    public void EveryTypeInACompartment_CanBeCompiled()
    {
        foreach (var type in FhirStore.Model.R4Model.ResourceTypes)
        {
            var reach = Compiler.Compile(type, new ResourceCondition.InCompartment("1"));
            Assert.Equal(RestrictionCompiler.IsInCompartment(type), !reach.IsNothing);
            Assert.False(reach.Admits(new(type, "2"), JsonElement.Parse($$"""{"resourceType":"{{type}}"}""")));
        }
    }
}
