using SchedulingOperations.Rules;

namespace SchedulingOperations.Tests.Rules;

public sealed class AppointmentStatesTests
{
    /// <summary>The table of the contract, written out once more by hand: what may follow each state beside itself and entered-in-error.</summary>
    private static readonly Dictionary<AppointmentStatus, AppointmentStatus[]> Table = new()
    {
        [AppointmentStatus.Proposed] = [AppointmentStatus.Pending, AppointmentStatus.Booked, AppointmentStatus.Cancelled],
        [AppointmentStatus.Pending] = [AppointmentStatus.Booked, AppointmentStatus.Cancelled],
        [AppointmentStatus.Booked] = [AppointmentStatus.CheckedIn, AppointmentStatus.Arrived, AppointmentStatus.NoShow, AppointmentStatus.Cancelled],
        [AppointmentStatus.Arrived] = [AppointmentStatus.CheckedIn, AppointmentStatus.Fulfilled, AppointmentStatus.Cancelled],
        [AppointmentStatus.CheckedIn] = [AppointmentStatus.Fulfilled, AppointmentStatus.Cancelled],
        [AppointmentStatus.Waitlist] = [AppointmentStatus.Proposed, AppointmentStatus.Booked, AppointmentStatus.Cancelled],
        [AppointmentStatus.Fulfilled] = [],
        [AppointmentStatus.Cancelled] = [],
        [AppointmentStatus.NoShow] = [],
        [AppointmentStatus.EnteredInError] = [],
    };

    [Fact]
    public void MayBecome_EveryPair_IsAsTheContractSays()
    {
        foreach (var (from, next) in Table)
        {
            foreach (var to in Table.Keys)
            {
                var allowed = to == from || to == AppointmentStatus.EnteredInError || next.Contains(to);
                Assert.True(allowed == from.MayBecome(to), $"{from} -> {to} should be {(allowed ? "allowed" : "refused")}");
            }
        }
    }

    [Fact]
    public void IsTerminal_IsWhatNothingButAnErrorFollows() =>
        Assert.All(Table, row => Assert.Equal(row.Value.Length == 0, row.Key.IsTerminal()));

    [Fact]
    public void Code_IsReadBackAsTheSameState() => Assert.All(Table.Keys, status =>
        Assert.Equal(status, AppointmentStates.Read(System.Text.Json.JsonElement.Parse($$"""{"status":"{{status.Code()}}"}"""))));
}
