using CsCheck;
using FhirCore;
using FhirCore.Records;
using FhirStore.Indexing;
using FhirStore.Search;
using FhirStore.Search.Values;

namespace FhirStore.Tests.Search;

/// <summary>
/// The index and the meaning of a search are two readings of one resource: whatever matches must be among the candidates, and
/// where the index claims to be exact there must be no others.
/// </summary>
public sealed class CoverTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Candidates_HoldEveryMatch_AndExactOnesNothingElse()
    {
        using var house = await SearchHouse.OpenAsync();
        var parser = new CriterionParser(new ValueParser(SearchHouse.BaseUrl + "/", house.Clock));
        var key = (string type) => new ResourceKey(type, "x");
        Gen.Select(RandomClinic.Resource, RandomClinic.Search.Array[3]).Sample((json, searches) =>
        {
            var resource = RandomClinic.Parse(json);
            var type = resource.GetProperty("resourceType").GetString()!;
            var entries = house.Indexer.Index(key(type), Now, resource);
            foreach (var (searched, name, value) in searches)
            {
                if (searched != type)
                {
                    continue;
                }
                var clause = ((Criterion.Plain)parser.Parse(type, name, value).Value!).Clause;
                var cover = clause.Cover(house.Indexer.For(type));
                var (matches, candidate) = (clause.Matches(key(type), resource), cover.Where.Matches("x", entries));
                Assert.True(candidate || !matches, $"{name}={value} matches {json} but its cover leaves it out");
                Assert.True(!cover.Exact || candidate == matches, $"{name}={value} does not match {json} but its exact cover takes it");
            }
        }, iter: 30_000);
    }

    [Fact]
    public async Task TheWholeSearch_FindsWhatLookingAtEachResourceFinds()
    {
        await Gen.Select(RandomClinic.Resource.Array[25], RandomClinic.Search.Array[40], RandomClinic.Search.Array[40]).SampleAsync(async (resources, first, second) =>
        {
            using var house = await SearchHouse.OpenAsync();
            var parser = new CriterionParser(new ValueParser(SearchHouse.BaseUrl + "/", house.Clock)); // ap counts from now: both sides need one now
            var all = resources.Select((json, i) => json.Replace("{\"resourceType\"", $"{{\"id\":\"r{i:00}\",\"resourceType\"", StringComparison.Ordinal)).ToArray();
            await house.PutAsync(all);
            foreach (var ((type, name, value), other) in first.Zip(second))
            {
                var query = $"{type}?{name}={value}" + (other.Type == type ? $"&{other.Name}={other.Value}" : "");
                var clauses = (other.Type == type ? new[] { (name, value), (other.Name, other.Value) } : [(name, value)])
                    .Select(c => ((Criterion.Plain)parser.Parse(type, c.Item1, c.Item2).Value!).Clause).ToArray();
                var expected = all.Select(RandomClinic.Parse)
                    .Where(r => r.GetProperty("resourceType").GetString() == type && clauses.All(c => c.Matches(new(type, "x"), r)))
                    .Select(r => r.GetProperty("id").GetString()!);
                var (wanted, found) = (expected.Order(StringComparer.Ordinal).ToArray(), (await house.IdsAsync(query)).Order(StringComparer.Ordinal).ToArray());
                Assert.True(wanted.SequenceEqual(found), $"{query} wants [{string.Join(' ', wanted)}] finds [{string.Join(' ', found)}] of {string.Join('\n', all.Where(r => r.Contains($"\"{type}\"", StringComparison.Ordinal)))}");
            }
        }, iter: 12, threads: 1);
    }

    [Fact]
    public async Task RangeLabels_CoverTheirRange_WithFewLabels()
    {
        using var house = await SearchHouse.OpenAsync();
        var labels = new RangeLabels("T", "n", new FhirStore.Encryption.IndexTokens(new byte[32], 1), levels: 4, DateInterval.LastDay);
        Gen.Select(Gen.Int[0, DateInterval.LastDay], Gen.Int[0, DateInterval.LastDay], Gen.Int[0, 800_000]).Sample((a, b, near) =>
        {
            var (first, last) = (Math.Min(a, b), Math.Max(a, b));
            if (near % 2 == 0)
            {
                last = Math.Min(first + (near % 2_000), DateInterval.LastDay);
            }
            var cover = labels.Cover(first, last);
            Assert.InRange(cover is Predicate.AnyOf any ? any.Parts.Length : 1, 1, 256);
            foreach (var inside in new[] { first, last, (first + last) / 2, first + ((last - first) / 3) })
            {
                var entries = new IndexEntries.Builder();
                labels.Add(inside, entries);
                Assert.True(cover.Matches("x", entries.Build()));
            }
        }, iter: 300);
    }

    [Theory]
    [InlineData("schedule=Schedule/a&start=ge2031-01-01&status=free")]
    [InlineData("schedule=a&start=ge2031-01-01T08:00:00Z&start=lt2031-01-02&status=free")]
    [InlineData("schedule=Schedule/a&start=2031-01-01")]
    [InlineData("schedule=Schedule/a&status=busy")]
    [InlineData("schedule=a,b&start=sa2030-12-31&status=free")]
    [InlineData("schedule=Schedule/a&start=lt2031-01-01&start=gt2031-01-02")]
    [InlineData("schedule=Schedule/a&start=ge2031-01-01&status=free,busy")]
    [InlineData("schedule=Schedule/a&start=ne2031-01-01&status=free")]
    public async Task SlotsOfASchedule_AreFoundByOneRange_InOrderOfStart(string query)
    {
        using var house = await SearchHouse.OpenAsync();
        var clauses = await ClausesAsync(house, query);
        var plan = house.Planner.Plan("Slot", clauses, [], null);
        Assert.True(plan.IsExact);
        var random = new Random(5);
        for (var i = 0; i < 60; i++)
        {
            var at = new DateTimeOffset(2030, 12, 31, 12, 0, 0, TimeSpan.Zero).AddMinutes(30 * random.Next(120));
            await house.PutAsync($$"""{"resourceType":"Slot","id":"s{{i:00}}","schedule":{"reference":"Schedule/{{"abc"[i % 3]}}"},"status":"{{(i % 4 == 0 ? "busy" : "free")}}","start":"{{at:yyyy-MM-ddTHH:mm:ssZ}}","end":"{{at.AddMinutes(30):yyyy-MM-ddTHH:mm:ssZ}}"}""");
        }
        var page = await house.FindAsync("Slot?" + query + "&_count=1000");
        var expected = (await house.FindAsync("Slot?_sort=start&_count=1000")).Matches.Where(m => clauses.All(c => c.Matches(m.Key, RandomClinic.Parse(SearchHouse.Text(m))))).Select(m => m.Key.Id).ToArray();
        Assert.Equal(expected.Order(StringComparer.Ordinal), page.Matches.Select(m => m.Key.Id).Order(StringComparer.Ordinal));
        if (plan.Order.Field is not null)
        {
            var starts = page.Matches.Select(m => RandomClinic.Parse(SearchHouse.Text(m)).GetProperty("start").GetString()).ToArray();
            Assert.Equal(starts.Order(StringComparer.Ordinal), starts);
        }
        Assert.Equal(page.Matches.Select(m => m.Key.Id), await house.IdsAsync("Slot?" + query + "&_count=3"));
    }

    private static async Task<List<SearchClause>> ClausesAsync(SearchHouse house, string query)
    {
        await Task.CompletedTask;
        var parser = new CriterionParser(new ValueParser(SearchHouse.BaseUrl + "/", house.Clock));
        return [.. SearchHouse.Parse("Slot?" + query).Parameters.Select(p => ((Criterion.Plain)parser.Parse("Slot", p.Key, p.Value).Value!).Clause)];
    }
}
