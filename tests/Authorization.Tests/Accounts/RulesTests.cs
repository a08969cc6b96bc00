using Authorization.Accounts;
using Authorization.Tests.Pages;
using CsCheck;

namespace Authorization.Tests.Accounts;

public sealed class RulesTests
{
    [Theory]
    [InlineData("three blue umbrellas", null)]
    [InlineData("зонтик и две шляпы", null)]
    [InlineData("👩‍⚕️ is my favourite", null)]
    [InlineData("elevenchars", PasswordFault.TooShort)]
    [InlineData("👩‍⚕️👩‍⚕️👩‍⚕️👩‍⚕️", PasswordFault.TooShort)]
    [InlineData("passwordpassword", PasswordFault.TooCommon)]
    [InlineData("P4ssw0rd!2024", PasswordFault.TooCommon)]
    [InlineData("123Password456!", PasswordFault.TooCommon)]
    [InlineData("qwertyuiop[]12", PasswordFault.TooCommon, true)]
    [InlineData("qwertyuiop12", PasswordFault.TooCommon)]
    [InlineData("123456789012", PasswordFault.TooCommon)]
    [InlineData("abcdefghijklm", PasswordFault.TooCommon)]
    [InlineData("aaaaaaaaaaaaa", PasswordFault.TooCommon)]
    [InlineData("121212121212", PasswordFault.TooCommon)]
    [InlineData("correcthorsebatterystaple", PasswordFault.TooCommon)]
    [InlineData("anna.adler1990", PasswordFault.HoldsUserName)]
    [InlineData("the anna.adler of the west", null)]
    public void Password_ByTheRules(string password, PasswordFault? expected, bool orNone = false)
    {
        var fault = PasswordRules.Check(password, "anna.adler@example.org");
        Assert.True(fault == expected || (orNone && fault is null), $"{password}: {fault}");
    }

    [Fact]
    public void Password_LengthCountsAsPeopleCount_NothingElseDoes() =>
        Gen.Int[0, 200].Sample(length =>
        {
            // Not common and without a name: only the length can be wrong.
            var password = string.Concat(Enumerable.Range(0, length).Select(i => "qzjxkvbпрыж7#"[(i * 7) % 13]));
            return PasswordRules.Check(password, null) == (length < 12 ? PasswordFault.TooShort : length > 128 ? PasswordFault.TooLong : null);
        });

    [Fact]
    public void Password_OfAMegabyte_IsTooLong() => Assert.Equal(PasswordFault.TooLong, PasswordRules.Check(new string('x', 1 << 20), null));

    [Fact]
    public void LockOut_IsFreeAtFirst_ThenDoubles_AndHasAnEnd() =>
        Gen.Select(Gen.Int[3, 20], Gen.Int[10, 600], Gen.Int[0, 80_000], Gen.Int[0, 10_000]).Sample((after, first, more, failures) =>
        {
            var options = new AccountOptions { LockOutAfter = after, LockOutFirst = TimeSpan.FromSeconds(first), LockOutLongest = TimeSpan.FromSeconds(first + more) };
            var expected = 0d; // counted up one by one
            for (var i = after; i <= failures && expected < first + more; i++)
            {
                expected = i == after ? first : Math.Min(expected * 2, first + more);
            }
            return LockOutSchedule.LockAfter(failures, options) == TimeSpan.FromSeconds(expected);
        });

    [Fact]
    public void Session_IsOverWhenIdleOrAtItsEnd() =>
        Gen.Select(Gen.Int[0, 2000], Gen.Int[0, 2000], Gen.Int[1, 720], Gen.Int[1, 60]).Sample((age, seenAt, lifetime, idle) =>
        {
            var start = new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
            var lastSeen = Math.Min(age, seenAt);
            var session = new StoredSession { AccountId = "a", Started = start, Ends = start.AddMinutes(lifetime), LastSeen = start.AddMinutes(lastSeen) };
            return Sessions.IsOver(session, start.AddMinutes(age), TimeSpan.FromMinutes(idle)) == (age >= lifetime || age - lastSeen >= idle);
        });

    [Theory]
    [InlineData(" Anna@Example.ORG ", "anna@example.org")]
    [InlineData("+4915112345678", "+4915112345678")]
    [InlineData("ab", null)]
    [InlineData("anna adler", null)]
    [InlineData("аnna@example.org", null)] // the first letter is Cyrillic
    [InlineData("", null)]
    [InlineData(null, null)]
    public void UserName_HasOneSpelling(string? typed, string? expected) => Assert.Equal(expected, UserNames.Normalise(typed));

    [Theory]
    [InlineData("SessionLifetime", "00:04:59")]
    [InlineData("SessionLifetime", "7.00:00:01")]
    [InlineData("SessionIdle", "12:00:01")]
    [InlineData("LockOutAfter", "2")]
    [InlineData("LockOutFirst", "00:00:09")]
    [InlineData("LockOutLongest", "1.00:00:01")]
    [InlineData("CodeLifetime", "01:00:01")]
    [InlineData("InvitationLifetime", "00:59:00")]
    [InlineData("PasswordIterations", "99999")]
    [InlineData("FirstAdministrator:UserName", "no name")]
    [InlineData("FirstAdministrator:Password", "password1234")]
    public async Task WrongSetting_StopsTheStart_NamingTheKey(string key, string value)
    {
        await using var database = new Database();
        var refusal = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(() => TestServer.StartAsync(
            database,
            [
                ("Auth:Accounts:" + key, value),
                .. new[] { ("FirstAdministrator:UserName", "admin.one"), ("FirstAdministrator:Password", People.Password) }
                    .Where(setting => setting.Item1 != key).Select(setting => ("Auth:Accounts:" + setting.Item1, (string?)setting.Item2)),
            ]));

        Assert.Contains(refusal.Failures, failure => failure.StartsWith($"Auth:Accounts:{key} ", StringComparison.Ordinal));
        Assert.True(key != "FirstAdministrator:Password" || !refusal.Message.Contains(value, StringComparison.Ordinal));
    }
}
