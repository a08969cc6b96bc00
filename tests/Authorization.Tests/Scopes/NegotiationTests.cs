using System.Text.RegularExpressions;
using Authorization.Access;
using Authorization.Scopes;
using CsCheck;

namespace Authorization.Tests.Scopes;

public sealed partial class NegotiationTests
{
    private static readonly string[] Types = ["Patient", "Slot", "Appointment"];

    private static readonly Gen<string> AnyScope =
        Gen.Select(
            Gen.OneOf("system", "system", "system", "patient", "user", "sys"),
            Gen.OneOf("Patient", "Slot", "*", "*", "Nonsense"),
            Gen.OneOf("read", "write", "*", "c", "r", "u", "d", "s", "rs", "cud", "cruds", "cu", "crus", "sr", "rx", "", "rs?name=a", "c?_id=1"))
        .Select((level, type, permissions) => $"{level}/{type}.{permissions}");

    private static readonly Gen<string> AnyList = AnyScope.Array[0, 5].Select(scopes => string.Join(' ', scopes));

    [Fact] // pairs of scopes taken apart by a pattern are the oracle, so a mistake in the parser or the union cannot hide itself
    public void Granted_IsTheIntersection_NeitherMoreNorLess() => Gen.Select(AnyList, AnyList).Sample((registered, requested) =>
    {
        var granted = new Grant("client", SmartScopes.Parse(SmartScopes.Join(SmartScopes.Negotiate(requested, SmartScopes.Parse(registered)))));
        return Types.All(type => "cruds".All(letter => granted.Allows(PermissionOf(letter), type)
            == Read(registered).Any(right => Read(requested).Any(wish => Covers(right, wish) && Has(right, type, letter) && Has(wish, type, letter)))));
    }, iter: 5_000);

    [Fact]
    public void Granted_IsAnsweredInTheVersionItWasAskedIn() => Gen.Select(AnyList, AnyList).Sample((registered, requested) =>
        SmartScopes.Negotiate(requested, SmartScopes.Parse(registered)).All(scope =>
            !scope.IsV1 || V1().IsMatch(scope.ToString())) &&
        (V1Only(requested) is false || SmartScopes.Negotiate(requested, SmartScopes.Parse("system/*.cruds")).All(scope => scope.IsV1)), iter: 2_000);

    [Theory]
    [InlineData("system/*.cruds", "system/Patient.rs", "system/Patient.rs")]
    [InlineData("system/*.cruds", "system/Patient.read", "system/Patient.read")]
    [InlineData("system/*.read system/Patient.c", "system/*.cruds", "system/*.rs system/Patient.crs")]
    [InlineData("system/Patient.rs system/Slot.r", "system/*.*", "system/Patient.read system/Slot.r")]
    [InlineData("system/Patient.rs", "system/Slot.rs system/Patient.c", "")]
    public void Examples(string registered, string requested, string granted) =>
        Assert.Equal(granted, SmartScopes.Join(SmartScopes.Negotiate(requested, SmartScopes.Parse(registered))));

    private sealed record Plain(string Type, string Letters, string Filter);

    /// <summary>A wish that is narrowed by a filter is covered by what is not, or by the same; one that is not narrowed gets what there is.</summary>
    private static bool Covers(Plain right, Plain wish) =>
        wish.Filter.Length == 0 || ((right.Filter.Length == 0 || right.Filter == wish.Filter) && (right.Type is "*" || right.Type == wish.Type));

    private static bool Has(Plain scope, string type, char letter) => scope.Type is var t && (t is "*" || t == type) && scope.Letters.Contains(letter);

    private static IEnumerable<Plain> Read(string list) => Enforceable().Matches(list).Select(match => new Plain(
        match.Groups["type"].Value,
        match.Groups["what"].Value switch
        {
            "read" => "rs",
            "write" => "cud",
            "*" => "cruds",
            var v2 => v2.Split('?')[0],
        },
        match.Groups["filter"].Value));

    private static Permissions PermissionOf(char letter) => letter switch
    {
        'c' => Permissions.Create,
        'r' => Permissions.Read,
        'u' => Permissions.Update,
        'd' => Permissions.Delete,
        _ => Permissions.Search,
    };

    private static bool V1Only(string list) => list.Split(' ').All(scope => V1().IsMatch(scope));

    [GeneratedRegex(@"(?<=^|\s)system/(?<type>Patient|Slot|\*)\.(?<what>read|write|\*|(?=[cruds])c?r?u?d?s?(?<filter>\?\S+)?)(?=\s|$)")]
    private static partial Regex Enforceable();

    [GeneratedRegex(@"^\w+/[\w*]+\.(read|write|\*)$")]
    private static partial Regex V1();
}
