using System.Buffers.Binary;
using Authorization.Accounts;
using Authorization.Tests.Pages;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

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

    /// <summary>The tests' own servers hash with fewer rounds; what they stand in for is what ships.</summary>
    [Theory]
    [InlineData(null, 210_000)]
    [InlineData("100000", 100_000)]
    public async Task Password_IsHashedWithTheRoundsOfTheSettings(string? setting, int rounds)
    {
        await using var database = new Database();
        await using var server = setting is null ? await TestServer.StartAsync(database) : await TestServer.StartAsync(database, ("Auth:Accounts:PasswordIterations", setting));

        Assert.Equal(rounds, RoundsOf(server.Services.GetServices<Passwords>().First().Hash(People.Password)));
    }

    [Fact]
    public async Task Password_HashedWithFewerRounds_IsHashedAnewAtTheNextSignIn()
    {
        await using var database = new Database();
        await using var server = await TestServer.StartAsync(database);
        var old = new Passwords(Options.Create(new AccountOptions { PasswordIterations = 500 })).Hash(People.Password);
        var id = (await server.Services.GetRequiredService<AccountRegistry>().CreateAsync(new(People.Anna) { PasswordHash = old }, default)).Value;
        using var browser = new Browser(server);

        await browser.SignInAsync(People.Anna, "not the password");
        Assert.Equal(500, await RoundsAsync());
        await browser.SignInAsync(People.Anna, People.Password);
        Assert.Equal(1_000, await RoundsAsync());
        Assert.Equal("Your account", browser.Title);

        async Task<int> RoundsAsync() => RoundsOf((await server.Services.GetRequiredService<AccountDirectory>().FindAsync(id, default))!.Value.PasswordHash!);
    }

    /// <summary>Of a hash as ASP.NET Core Identity writes them: format 1, PBKDF2 with HMAC-SHA512 (2), rounds.</summary>
    private static int RoundsOf(string hash)
    {
        var bytes = Convert.FromBase64String(hash);
        Assert.Equal((1, 2), (bytes[0], BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(1))));
        return BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(5));
    }

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
        var refusal = await Assert.ThrowsAsync<OptionsValidationException>(() => TestServer.StartAsync(
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
