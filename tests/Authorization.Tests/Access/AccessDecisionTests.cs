using Authorization.Access;
using Authorization.Scopes;
using Authorization.Tokens;
using FhirCore;

namespace Authorization.Tests.Access;

public sealed class AccessDecisionTests
{
    /// <summary>What SMART's table says, in letters; conditional interactions also look, so they need s.</summary>
    private static readonly Dictionary<Interaction, string> Letters = new()
    {
        [Interaction.Read] = "r",
        [Interaction.VRead] = "r",
        [Interaction.HistoryInstance] = "r",
        [Interaction.HistoryType] = "s",
        [Interaction.HistorySystem] = "s",
        [Interaction.SearchType] = "s",
        [Interaction.SearchSystem] = "s",
        [Interaction.Create] = "c",
        [Interaction.ConditionalCreate] = "cs",
        [Interaction.Update] = "u",
        [Interaction.ConditionalUpdate] = "us",
        [Interaction.Patch] = "u",
        [Interaction.ConditionalPatch] = "us",
        [Interaction.Delete] = "d",
        [Interaction.ConditionalDelete] = "ds",
        [Interaction.Bundle] = "",
    };

    [Fact]
    public void EveryInteraction_EverySetOfLetters_OnlyWhatTheTableSays()
    {
        foreach (var interaction in Enum.GetValues<Interaction>().Where(i => i != Interaction.Operation))
        {
            for (var mask = 1; mask < 32; mask++)
            {
                var letters = string.Concat("cruds".Where((_, i) => (mask & (1 << i)) != 0));
                var expected = Letters[interaction].All(letters.Contains);

                var onType = AccessDecision.Decide(Of($"system/Patient.{letters}"), interaction, "Patient");
                var everywhere = AccessDecision.Decide(Of($"system/*.{letters}"), interaction, "Patient");
                var onSystem = AccessDecision.Decide(Of($"system/*.{letters}"), interaction, null);
                Assert.True(expected == onType is null, $"{interaction} with {letters}");
                Assert.Equal(expected, everywhere is null);
                Assert.Equal(expected, onSystem is null);

                var otherType = AccessDecision.Decide(Of($"system/Slot.{letters}"), interaction, "Patient");
                var typeForSystem = AccessDecision.Decide(Of($"system/Patient.{letters}"), interaction, null);
                Assert.Equal(interaction == Interaction.Bundle, otherType is null);
                Assert.Equal(interaction == Interaction.Bundle, typeForSystem is null);
            }
        }
    }

    [Theory]
    [InlineData("patient/Patient.cruds")]
    [InlineData("user/Patient.cruds")]
    [InlineData("")]
    public void ScopesOfPatientsAndUsers_WithoutAUser_AllowNothing(string scope)
    {
        foreach (var interaction in Letters.Keys.Where(i => i != Interaction.Bundle))
        {
            Assert.NotNull(AccessDecision.Decide(Of(scope), interaction, "Patient"));
        }
    }

    [Theory]
    [InlineData("find", "system/Appointment.s system/Slot.s", true)]
    [InlineData("$find", "system/Appointment.read system/Slot.read", true)]
    [InlineData("find", "system/Appointment.s", false)]
    [InlineData("find", "system/Slot.s", false)]
    [InlineData("hold", "system/Appointment.c", true)]
    [InlineData("hold", "system/Appointment.ruds system/Slot.cruds", false)]
    [InlineData("book", "system/Appointment.cu", true)]
    [InlineData("book", "system/Appointment.write", true)]
    [InlineData("book", "system/Appointment.c", false)]
    [InlineData("book", "system/Appointment.read", false)]
    [InlineData("cancel", "system/Appointment.u", true)]
    [InlineData("confirm", "system/Appointment.u", true)]
    [InlineData("reschedule", "system/Appointment.u", true)]
    [InlineData("cancel", "system/Appointment.crds", false)]
    [InlineData("versions", "", true)]
    [InlineData("everything", "system/*.cruds", false)]
    public void Operations_NeedTheirTypes(string operation, string scope, bool allowed) =>
        Assert.Equal(allowed, AccessDecision.Decide(Of(scope), Interaction.Operation, "Appointment", operation) is null);

    [Fact]
    public void Refusal_IsForbiddenAndNamesTheScopeThatIsMissing()
    {
        var failure = AccessDecision.Decide(Of("system/Slot.rs"), Interaction.Update, "Patient")!;

        Assert.Equal(403, failure.Status);
        Assert.Contains("system/Patient.u", failure.Issues[0].Diagnostics, StringComparison.Ordinal);
        Assert.Equal("Bearer realm=\"fhir\", error=\"insufficient_scope\"", BearerChallenge.Of(failure));
    }

    [Fact]
    public void IncludesAndChains_HaveTheirOwnQuestion()
    {
        var grant = Of("system/Patient.r system/Slot.s");

        Assert.True(grant.MayRead("Patient"));
        Assert.False(grant.MaySearch("Patient"));
        Assert.False(grant.MayRead("Slot"));
        Assert.True(grant.MaySearch("Slot"));
        Assert.False(grant.MayRead("Appointment"));
    }

    [Fact]
    public void OnlyVersions_IsPublic()
    {
        Assert.True(AccessDecision.IsPublicOperation("$versions"));
        Assert.False(AccessDecision.IsPublicOperation("find"));
        Assert.False(AccessDecision.IsPublicOperation("unheard-of"));
    }

    private static Grant Of(string scope) => new("client", SmartScopes.Parse(scope));
}
