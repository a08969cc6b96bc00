using Authorization.Scopes;

namespace Authorization.Tests.Scopes;

public sealed class SmartScopeTests
{
    [Theory]
    [InlineData("system/Patient.rs", ScopeLevel.System, "Patient", "rs", false)]
    [InlineData("system/*.cruds", ScopeLevel.System, "*", "cruds", false)]
    [InlineData("patient/Observation.c", ScopeLevel.Patient, "Observation", "c", false)]
    [InlineData("user/Slot.us", ScopeLevel.User, "Slot", "us", false)]
    [InlineData("system/Patient.read", ScopeLevel.System, "Patient", "rs", true)]
    [InlineData("system/Patient.write", ScopeLevel.System, "Patient", "cud", true)]
    [InlineData("user/*.*", ScopeLevel.User, "*", "cruds", true)]
    public void Valid_IsReadAndWrittenBackTheSame(string text, ScopeLevel level, string type, string letters, bool isV1)
    {
        Assert.True(SmartScope.TryParse(text, out var scope));
        Assert.Equal((level, type, isV1, null), (scope.Level, scope.Type, scope.IsV1, scope.Filter));
        Assert.Equal(letters, string.Concat("cruds".Where((_, i) => scope.Permissions.HasFlag((Permissions)(1 << i)))));
        Assert.Equal(text, scope.ToString());
    }

    [Fact]
    public void Granular_KeepsItsFilter()
    {
        Assert.True(SmartScope.TryParse("system/Observation.rs?category=http://x.example/a.b|vital-signs&code=1", out var scope));
        Assert.Equal("category=http://x.example/a.b|vital-signs&code=1", scope.Filter);
        Assert.Equal("system/Observation.rs?category=http://x.example/a.b|vital-signs&code=1", scope.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("system")]
    [InlineData("system/")]
    [InlineData("system/Patient")]
    [InlineData("system/Patient.")]
    [InlineData("system/Patient.sr")]
    [InlineData("system/Patient.rr")]
    [InlineData("system/Patient.x")]
    [InlineData("system/Patient.rx")]
    [InlineData("system/Patient.R")]
    [InlineData("system/Patient.rs?")]
    [InlineData("system/Patient.read?a=b")]
    [InlineData("system/Patient.readwrite")]
    [InlineData("system/Patient.**")]
    [InlineData("System/Patient.rs")]
    [InlineData("org/Patient.rs")]
    [InlineData("/Patient.rs")]
    [InlineData("system/patient.rs")]
    [InlineData("system/Nonsense.rs")]
    [InlineData("system/Resource.rs")]
    [InlineData("system/_OAuthApplication.rs")]
    [InlineData("system/Patient/1.rs")]
    [InlineData("system/Patient.rs.rs")]
    [InlineData("launch/patient")]
    [InlineData("openid")]
    public void AnythingElse_IsNoScope(string? text) => Assert.False(SmartScope.TryParse(text, out _));
}
