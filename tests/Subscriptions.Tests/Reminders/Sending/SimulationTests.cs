using System.Globalization;
using FhirCore.Messages;
using NodaTime;
using Subscriptions.Reminders.Records;
using Subscriptions.Tests.Reminders.Support;
using A = Subscriptions.Tests.Reminders.Support.A;

namespace Subscriptions.Tests.Reminders.Sending;

/// <summary>
/// Weeks of a clinic in which everything goes wrong in a random order: visits are booked, moved and cancelled, people answer STOP, providers
/// are busy, silent or lose answers, the process is killed between sending and writing down. What must never happen is looked at in the moment
/// a message goes out, by what the test itself knows; what must happen, at the end. A seed that fails is printed and fails again.
/// </summary>
public sealed class SimulationTests
{
    private static readonly DateTimeZone Berlin = DateTimeZoneProviders.Tzdb["Europe/Berlin"];
    private static readonly TimeSpan Summer = TimeSpan.FromHours(2);

    [Fact]
    public async Task AnyWeeks_NothingWrongGoesOut_AndNothingIsForgotten()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            using var weeks = await Weeks.BeginAsync(seed);
            await weeks.LiveAsync(steps: 60);
            await weeks.EndAsync();
        }
    }

    private sealed class Weeks : IDisposable
    {
        private const int People = 4;
        private const int Visits = 7;

        private readonly int _seed;
        private readonly Random _random;
        private readonly List<PostRoom> _rooms = [];
        private readonly Dictionary<string, DateTimeOffset?> _standing = []; // what the test has made of each visit: its time, or null for none
        private readonly HashSet<string> _stopped = [];
        private readonly List<string> _wrong = [];
        private PostRoom _room;
        private bool _calm;

        private Weeks(int seed, PostRoom room)
        {
            (_seed, _random, _room) = (seed, new(seed), room);
            _rooms.Add(room);
            foreach (var channel in (FakeChannel[])[room.Push, room.Sms, room.Mail])
            {
                channel.Answers = message => Answer(channel, message);
                channel.AfterTaking = message => Took(channel, message);
                channel.Found = _ => !_calm && _random.Next(4) == 0 ? new MessageResult.Unknown("timeout") : null;
            }
        }

        public static async Task<Weeks> BeginAsync(int seed)
        {
            var weeks = new Weeks(seed, await PostRoom.OpenAsync(PostRoom.Usual with { Before = [TimeSpan.FromDays(3), TimeSpan.FromDays(1), TimeSpan.FromHours(3)] }));
            for (var i = 0; i < People; i++)
            {
                await weeks._room.PutAsync(weeks.Patient(i));
            }
            await weeks._room.PlanAsync();
            return weeks;
        }

        public async Task LiveAsync(int steps)
        {
            for (var step = 0; step < steps; step++)
            {
                await StepAsync();
                try
                {
                    if (_random.Next(3) > 0)
                    {
                        await _room.PlanAsync();
                    }
                    await _room.SendAsync();
                }
                catch (KilledException)
                {
                    await RestartAsync();
                }
            }
        }

        /// <summary>Everything works again: what is due by then has gone out, and nothing is left.</summary>
        public async Task EndAsync()
        {
            _calm = true;
            await RestartAsync();
            await _room.PlanAsync();
            var calmSince = _room.Now;
            await _room.RunUntilAsync(calmSince.AddDays(40));
            Assert.True(_wrong.Count == 0, $"Seed {_seed}: {string.Join("; ", _wrong)}");
            Assert.True(_room.SetAside.Count == 0 && _rooms.TrueForAll(room => room.Observer.Faults.Count == 0), $"Seed {_seed}: {_rooms.SelectMany(room => room.Observer.Faults).FirstOrDefault()}");
            var messages = await _room.MessagesAsync();
            Assert.True(messages.TrueForAll(message => message.State == MessageState.Done), $"Seed {_seed}: a message is left over.");
            foreach (var (channel, most) in ((FakeChannel, int)[])[(_room.Sms, 1), (_room.Mail, 2), (_room.Push, 2)])
            {
                var worst = channel.Taken.GroupBy(taken => (taken.Message.Id, taken.Message.To)).Select(group => group.Count()).DefaultIfEmpty(0).Max();
                Assert.True(worst <= most, $"Seed {_seed}: {channel.Kind} went out {worst} times.");
            }
            await CheckRemindersAsync(calmSince);
        }

        /// <summary>Whoever has a visit that stood still for long enough was reminded of it, or it is written down why not.</summary>
        private async Task CheckRemindersAsync(DateTimeOffset calmSince)
        {
            var told = (await _room.CommunicationsAsync()).Select(c => ((string)c["about"]![0]!["reference"]!, (string)c["extension"]![0]!["valueDateTime"]!)).ToHashSet();
            foreach (var (id, start) in _standing)
            {
                if (start is { } at && at > calmSince.AddDays(2))
                {
                    Assert.True(told.Contains(($"Appointment/{id}", at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture))), $"Seed {_seed}: nobody was told of {id}.");
                }
            }
        }

        private async Task StepAsync()
        {
            _room.Clock.Advance(TimeSpan.FromMinutes(_random.Next(1, 400)));
            var id = $"v{_random.Next(Visits)}";
            switch (_random.Next(10))
            {
                case < 4:
                    var start = _room.Now.ToOffset(Summer).Date.AddDays(_random.Next(0, 9)).AddHours(_random.Next(6, 23)).AddMinutes(30 * _random.Next(2));
                    await PutAsync(id, new(start, Summer));
                    break;
                case 4 or 5:
                    await PutAsync(id, null);
                    break;
                case 6:
                    await _room.PutAsync(Patient(_random.Next(People)));
                    break;
                case 7:
                    var number = Number(_random.Next(People));
                    var stops = _random.Next(2) == 0;
                    await _room.Room.Replies.ReadAsync($"SM{_random.Next()}", number, stops ? "STOP" : "START", default);
                    _ = stops ? _stopped.Add(number) : _stopped.Remove(number);
                    break;
                case 8:
                    await RestartAsync();
                    break;
                default:
                    await _room.Room.Devices.RegisterAsync($"p{_random.Next(People)}", $"token-{_random.Next(6)}", default);
                    break;
            }
        }

        private async Task PutAsync(string id, DateTimeOffset? start)
        {
            var patient = $"p{id[1..][0] % People}";
            if (start is { } at)
            {
                await _room.PutAsync(A.Visit(at.ToString("yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture), id: id, patient: patient));
                _standing[id] = at;
            }
            else if (_standing.TryGetValue(id, out var stood) && stood is { } was)
            {
                await _room.PutAsync(A.Visit(was.ToString("yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture), id: id, patient: patient, status: "cancelled"));
                _standing[id] = null;
            }
        }

        private async Task RestartAsync()
        {
            _room = await _room.AnotherAsync();
            _rooms.Add(_room);
        }

        private string Patient(int i) => A.Patient($"p{i}", _random.Next(4) switch
        {
            0 => $$"""{"system":"email","value":"p{{i}}@example.org"}""",
            1 => $$"""{"system":"sms","value":"{{Number(i)}}"}""",
            _ => $$"""{"system":"sms","value":"{{Number(i)}}"},{"system":"email","value":"p{{i}}@example.org"}""",
        });

        /// <summary>Two of them share a phone.</summary>
        private static string Number(int i) => $"+49151000000{Math.Min(i, 2)}0";

        private MessageResult? Answer(FakeChannel channel, OutgoingMessage message)
        {
            Look(channel, message);
            if (_calm)
            {
                return null;
            }
            return _random.Next(14) switch
            {
                0 => throw new KilledException(),
                1 => new MessageResult.Later("503", _random.Next(2) == 0 ? null : TimeSpan.FromMinutes(_random.Next(1, 90))),
                2 => new MessageResult.Unknown("lost"),
                3 => new MessageResult.Refused(MessageRefusal.Unreachable, "30003"),
                4 when channel.Kind == MessageChannelKind.Push => new MessageResult.Refused(MessageRefusal.BadAddress, "UNREGISTERED"),
                5 => new MessageResult.Refused(MessageRefusal.Configuration, "20003"),
                _ => null,
            };
        }

        private void Took(FakeChannel channel, OutgoingMessage message)
        {
            if (!_calm && _random.Next(12) == 0)
            {
                throw new KilledException();
            }
        }

        /// <summary>What must hold in the moment a message goes out.</summary>
        private void Look(FakeChannel channel, OutgoingMessage message)
        {
            var stored = _room.Records.Messages.FindAsync(message.Id, default).AsTask().GetAwaiter().GetResult()!.Value;
            var now = _room.Now;
            var stands = _standing.GetValueOrDefault(stored.Appointment!);
            if (stored.Topic == MessageTopic.Cancelled ? stands is not null : stands != stored.Start)
            {
                _wrong.Add($"{stored.Topic} of {stored.Appointment} at {stored.Start:u} although it stands at {stands:u}");
            }
            if (now >= stored.Start)
            {
                _wrong.Add($"{stored.Topic} after the visit");
            }
            if (channel.Kind == MessageChannelKind.Sms && _stopped.Contains(message.To))
            {
                _wrong.Add("an SMS after STOP");
            }
            var hour = Instant.FromDateTimeOffset(now).InZone(Berlin).Hour;
            if (stored.Topic == MessageTopic.Reminder && hour is >= 21 or < 8)
            {
                _wrong.Add($"a reminder at {hour}");
            }
        }

        public void Dispose() => _rooms.ForEach(room => room.Dispose());
    }
}
