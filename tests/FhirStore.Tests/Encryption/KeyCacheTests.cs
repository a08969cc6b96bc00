using CsCheck;
using FhirStore.Encryption;
using Microsoft.Extensions.Time.Testing;

namespace FhirStore.Tests.Encryption;

public sealed class KeyCacheTests
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void TryCopy_AnyUse_AnswersLikeAPlainList() => // the model: a list, most recently used first
        Gen.Select(Gen.Int[0, 9], Gen.Int[0, 3], Gen.Bool).Array[0, 200].Sample(steps =>
        {
            using var cache = new KeyCache(4, Lifetime, _clock);
            var model = new List<(int Id, int Epoch)>();
            foreach (var (id, epoch, put) in steps)
            {
                var at = model.FindIndex(m => m.Id == id);
                if (put)
                {
                    if (at >= 0 && model[at].Epoch > epoch + 1)
                    {
                        cache.Put((UInt128)id, epoch + 1, KeyOf(id, epoch + 1));
                        continue;
                    }
                    if (at >= 0)
                    {
                        model.RemoveAt(at);
                    }
                    model.Insert(0, (id, epoch + 1));
                    if (model.Count > 4)
                    {
                        model.RemoveAt(4);
                    }
                    cache.Put((UInt128)id, epoch + 1, KeyOf(id, epoch + 1));
                }
                else
                {
                    var key = new byte[32];
                    var expected = at >= 0 && (epoch == 0 || model[at].Epoch == epoch);
                    Assert.Equal(expected, cache.TryCopy((UInt128)id, epoch, key, out var found));
                    Assert.Equal(expected ? model[at].Epoch : 0, found);
                    Assert.Equal(expected ? KeyOf(id, found) : new byte[32], key);
                    if (expected)
                    {
                        var hit = model[at];
                        model.RemoveAt(at);
                        model.Insert(0, hit);
                    }
                }
                Assert.Equal(model.Count, cache.Count);
            }
        });

    [Fact]
    public void TryCopy_HoweverOftenUsed_EndsWithTheLifetime()
    {
        using var cache = new KeyCache(4, Lifetime, _clock);
        cache.Put(1, 1, KeyOf(1, 1));
        for (var minute = 0; minute < 4; minute++)
        {
            Assert.True(cache.TryCopy(1, 0, new byte[32], out _));
            _clock.Advance(TimeSpan.FromMinutes(1));
        }
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.False(cache.TryCopy(1, 0, new byte[32], out _));
    }

    [Fact]
    public void Sweep_WithinTheLifetime_WipesKeysThatNobodyUses()
    {
        using var cache = new KeyCache(4, Lifetime, _clock);
        _clock.Advance(TimeSpan.FromSeconds(17)); // out of step with the sweeps
        cache.Put(1, 1, KeyOf(1, 1));
        cache.Put(2, 1, KeyOf(2, 1));
        Assert.False(cache.IsWiped());
        _clock.Advance(Lifetime);
        Assert.True(cache.IsWiped());
        Assert.Equal(0, cache.Count);
    }

    [Fact]
    public void Put_IntoAFullCache_WipesTheLeastRecentlyUsed()
    {
        using var cache = new KeyCache(1, Lifetime, _clock);
        cache.Put(1, 1, KeyOf(1, 1));
        cache.Put(2, 1, new byte[32]); // a key of zeros, so that anything left is the first one's
        Assert.True(cache.IsWiped());
    }

    [Fact]
    public void Dispose_WipesAndKeepsNothingAfter()
    {
        var cache = new KeyCache(4, Lifetime, _clock);
        cache.Put(1, 1, KeyOf(1, 1));
        cache.Dispose();
        cache.Put(2, 1, KeyOf(2, 1));
        Assert.True(cache.IsWiped());
        Assert.False(cache.TryCopy(1, 0, new byte[32], out _));
    }

    [Fact]
    public void TryCopy_WhileOthersEvict_NeverGivesAnotherKeyOrAWipedOne()
    {
        using var cache = new KeyCache(8, Lifetime, TimeProvider.System);
        Parallel.For(0, 8, worker =>
        {
            var random = new Random(worker);
            var key = new byte[32];
            for (var i = 0; i < 20_000; i++)
            {
                var id = random.Next(32);
                if (cache.TryCopy((UInt128)id, 0, key, out _))
                {
                    Assert.Equal(KeyOf(id, 1), key);
                }
                else
                {
                    cache.Put((UInt128)id, 1, KeyOf(id, 1));
                }
            }
        });
    }

    private static byte[] KeyOf(int id, int epoch)
    {
        var key = new byte[32];
        Array.Fill(key, (byte)(1 + id + (50 * epoch)));
        return key;
    }
}
