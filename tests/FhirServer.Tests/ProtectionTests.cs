using System.Collections.Immutable;
using Authorization.Access;
using Authorization.Scopes;
using FhirServer.Auditing;
using FhirServer.Http;
using FhirServer.Interactions;
using FhirServer.Settings;
using SchedulingOperations;

namespace FhirServer.Tests;

/// <summary>How much one caller may ask, and the headers of every answer.</summary>
public sealed class ProtectionTests(ServerFixture server)
{
    [Fact]
    public void Person_MaySendSoMany_OverAllApps_AndOthersAreNotAffected()
    {
        using var limits = new RateLimits(new() { RequestsPerMinutePerUser = 5 }, TimeProvider.System);
        for (var i = 0; i < 5; i++)
        {
            Assert.Null(limits.Check(Request($"app-{i}", "anna"), FhirInteraction.Read));
        }
        var refused = limits.Check(Request("app-9", "anna"), FhirInteraction.Read);
        Assert.Equal((429, "throttled"), (refused!.Status, refused.Issues[0].Code));
        Assert.True(refused.RetryAfter > TimeSpan.Zero);
        Assert.Null(limits.Check(Request("app-0", "bert"), FhirInteraction.Read));
        Assert.Null(limits.Check(Request("app-0", null), FhirInteraction.Read));
    }

    [Fact]
    public void Client_HasNoLimitUnlessOneIsSet()
    {
        using var none = new RateLimits(new(), TimeProvider.System);
        Assert.All(Enumerable.Range(0, 5_000), _ => Assert.Null(none.Check(Request("ehr", null), FhirInteraction.Read)));
        using var two = new RateLimits(new() { RequestsPerMinutePerClient = 2 }, TimeProvider.System);
        Assert.Equal([false, false, true], Enumerable.Range(0, 3).Select(_ => two.Check(Request("ehr", null), FhirInteraction.Read) is not null));
    }

    [Fact]
    public void SlotsAndHolds_HaveLimitsOfTheirOwn_ForPersons()
    {
        using var limits = new RateLimits(new() { SlotSearchesPerMinutePerUser = 3, HoldsPerHourPerUser = 2 }, TimeProvider.System);
        var slots = Request("app", "anna", new(RouteKind.Type, "Slot"));
        var find = Request("app", "anna", new(RouteKind.TypeOperation, "Appointment", Tail: "$find"));
        var hold = Request("app", "anna", new(RouteKind.TypeOperation, "Appointment", Tail: "$hold"));
        Assert.Null(limits.Check(slots, FhirInteraction.SearchType));
        Assert.Null(limits.Check(find, FhirInteraction.Operation));
        Assert.Null(limits.Check(slots, FhirInteraction.SearchType));
        Assert.NotNull(limits.Check(find, FhirInteraction.Operation));
        Assert.NotNull(limits.Check(slots, FhirInteraction.SearchType));
        Assert.Null(limits.Check(hold, FhirInteraction.Operation));
        Assert.Null(limits.Check(hold, FhirInteraction.Operation));
        Assert.NotNull(limits.Check(hold, FhirInteraction.Operation));
        Assert.Null(limits.Check(Request("app", "anna"), FhirInteraction.Read));
    }

    [Theory]
    [InlineData("metadata")]
    [InlineData("Patient/nobody")]
    [InlineData("Nonsense")]
    [InlineData("../auth/jwks")]
    [InlineData("../health/live")]
    [InlineData("../elsewhere")]
    public async Task EveryAnswer_HasTheSecurityHeaders(string path)
    {
        var answer = await server.Client.GetAsync(new Uri(new Uri(server.Base + "/"), path).AbsoluteUri);
        Assert.Equal("nosniff", Header(answer, "X-Content-Type-Options"));
        Assert.Equal("no-referrer", Header(answer, "Referrer-Policy"));
        Assert.Equal("same-origin", Header(answer, "Cross-Origin-Resource-Policy"));
        Assert.Equal("default-src 'none'; frame-ancestors 'none'", Header(answer, "Content-Security-Policy"));
        Assert.False(answer.Response.Headers.Contains("Strict-Transport-Security")); // the public address is no https here
        Assert.False(answer.Response.Headers.Contains("Server"));
    }

    private static string? Header(Answer answer, string name) => answer.Response.Headers.TryGetValues(name, out var values) ? values.Single() : null;

    private static FhirRequest Request(string client, string? account, FhirRoute? route = null) => new()
    {
        Route = route ?? new(RouteKind.Instance, "Patient", "1"),
        Method = "GET",
        Base = new("/fhir", "http://localhost/fhir", SchedulingDialect.Default),
        Grant = new(client, ImmutableArray<SmartScope>.Empty, account is null ? null : new GrantedUser(account, null, [])),
        Origin = new(null, "test", 0, ""),
    };
}
