using System.Collections.Frozen;
using CsCheck;
using FhirCore.Records;
using MongoDB.Bson;
using MongoDB.Driver;
using Storage.Contract;
using Storage.MongoDb.Connecting;
using Storage.MongoDb.Documents;
using Storage.MongoDb.Querying;

namespace Storage.MongoDb.Tests;

/// <summary>No question reads a whole collection: by MongoDB's rules on the filters we make, and by what the server at hand says it would do.</summary>
public sealed class QueryPlanTests
{
    private static readonly PredicateFilter Filters = new(A.OrderedFields.ToFrozenSet());
    private static readonly List<IndexPlan> Indexes = [.. Schema.Indexes(A.OrderedFields).Where(i => i.Collection == Names.Records)];
    private static readonly RecordOrder ByRank = new(A.Rank, false);
    private static readonly RecordOrder ByUpdate = new(IndexField.LastUpdated, true);

    /// <summary>Every shape the planner of searches and the scheduling operations ask in: Rank and Born stand for starts, Name for tokens.</summary>
    public static TheoryData<string, string, bool> Shapes => new(
        Questions.Select(q => (q.Key, q.Value.Index, q.Value.InOrder)));

    private static readonly Dictionary<string, (RecordQuery Query, string Index, bool InOrder)> Questions = new()
    {
        ["everything by id"] = (Ask(Predicate.Everything), "byId", true),
        ["everything by id, next page"] = (Ask(Predicate.Everything, after: new(default, "p5")), "byId", true),
        ["ids"] = (Ask(A.Ids("a", "b")), "byId", true),
        ["token"] = (Ask(A.Is(A.Name, "n1")), "byEntry", true),
        ["token, next page"] = (Ask(A.Is(A.Name, "n1"), after: new(default, "p5")), "byEntry", true),
        ["tokens of several clauses"] = (Ask(A.All(A.Is(A.Name, "n1"), A.Is(A.Name, "n2"))), "byEntry", true),
        ["one of some tokens"] = (Ask(A.Any(A.Is(A.Name, "n1"), A.Is(A.Name, "n2"))), "byEntry", false),
        ["tokens of a range"] = (Ask(A.Between(A.Name, "n1", "n3")), "byEntry", false),
        ["field present"] = (Ask(new Predicate.Present(A.Name)), "byEntry", false),
        ["field absent"] = (Ask(A.Not(new Predicate.Present(A.Name))), "byId", true),
        ["slots of a schedule by start"] = (Ask(A.Between(A.Rank, "1", "3"), ByRank), "by" + EntryText.OrderedName(A.Rank), true),
        ["slots of a schedule by start, next page"] = (Ask(A.Between(A.Rank, "1", "3"), ByRank, new(A.Value("2"), "p5")), "by" + EntryText.OrderedName(A.Rank), true),
        ["slots of a schedule, latest first"] = (Ask(A.Between(A.Rank, "1", ""), ByRank with { Descending = true }), "by" + EntryText.OrderedName(A.Rank), true),
        ["slots of several schedules"] = (Ask(A.Any(A.Between(A.Rank, "1", "2"), A.Between(A.Rank, "3", "4"))), "by" + EntryText.OrderedName(A.Rank), false),
        ["neighbours of a slot"] = (Ask(A.Any(A.Between(A.Rank, "1", "2"), A.All(A.Between(A.Rank, "0", "1"), A.Is(A.Name, "n1")))), "by" + EntryText.OrderedName(A.Rank), false),
        ["an actor's appointments"] = (Ask(A.All(A.Between(A.Name, "n1", "n3"), A.Not(A.Between(A.Born, "0", "1")))), "byEntry", false),
        ["token by start"] = (Ask(A.Is(A.Name, "n1"), ByRank), "byEntry", false),
        ["everything by start"] = (Ask(Predicate.Everything, ByRank), "by" + EntryText.OrderedName(A.Rank), true),
        ["everything by update"] = (Ask(Predicate.Everything, ByUpdate), "byUpdate", true),
        ["everything by update, next page"] = (Ask(Predicate.Everything, ByUpdate, new(SortableTime.Encode(A.Noon), "p5")), "byUpdate", true),
        ["updated since"] = (Ask(new Predicate.Between(IndexField.LastUpdated, SortableTime.Encode(A.Noon), default)), "byUpdate", false),
        ["token updated since"] = (Ask(A.All(A.Is(A.Name, "n1"), new Predicate.Between(IndexField.LastUpdated, SortableTime.Encode(A.Noon), default))), "byEntry", true),
        ["without a start, by id"] = (Ask(Predicate.Everything, ByRank, new(default, "p5")), "byId", true),
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Shape_ByMongosRules_IsServedByItsIndex(string shape, string index, bool inOrder)
    {
        var query = Questions[shape].Query;
        foreach (var (filter, sort) in RecordReader.Steps(query, Filters.Of(query.Type, query.Where)!))
        {
            Assert.True(IndexRules.Serving(filter, sort, Indexes).Count > 0, $"A collection scan: {filter}");
        }
        var (first, order) = RecordReader.Steps(query, Filters.Of(query.Type, query.Where)!)[0];
        var choices = IndexRules.Serving(first, order, Indexes);
        Assert.Contains(choices, c => c.Index == index && (!inOrder || c.GivesOrder));
    }

    [Fact]
    public void AnyPredicateAndOrder_ByMongosRules_NeedsNoCollectionScan()
    {
        var leaf = Gen.OneOf<Predicate>(
            Gen.Const(A.Is(A.Name, "n")), Gen.Const(A.Is(A.Rank, "1")), Gen.Const(A.Between(A.Name, "a", "b")), Gen.Const(A.Between(A.Born, "1", "")),
            Gen.Const(A.Ids("a")), Gen.Const<Predicate>(new Predicate.Present(A.Rank)), Gen.Const<Predicate>(new Predicate.Present(IndexField.LastUpdated)), Gen.Const(Predicate.Everything), Gen.Const(Predicate.Nothing));
        var any = Gen.Recursive<Predicate>((depth, part) => depth >= 3 ? leaf : Gen.Frequency(
            (2, leaf), (2, part.Array[0, 3].Select(p => A.All(p))), (2, part.Array[0, 3].Select(p => A.Any(p))), (1, part.Select(A.Not))));
        var order = Gen.OneOf(Gen.Const(RecordOrder.ById), Gen.Const(ByRank), Gen.Const(ByUpdate));
        Gen.Select(any, order, Gen.Int[0, 2]).Sample((where, by, page) =>
        {
            RecordCursor? after = page == 0 ? null : new(by.Field is null || (page == 1 && by.Field != IndexField.LastUpdated) ? default : SortableTime.Encode(A.Noon), "p5");
            var query = Ask(where, by, after);
            return Filters.Of("Patient", where) is not { } filter
                || RecordReader.Steps(query, filter).All(s => IndexRules.Serving(s.Filter, s.Sort, Indexes).Count > 0);
        }, iter: 3_000);
    }

    [Fact]
    public void Rules_AFilterNoIndexBegins_IsACollectionScan()
    {
        Assert.Empty(IndexRules.Serving(new("v", 1), null, Indexes));
        Assert.Empty(IndexRules.Serving(new("i", "a"), null, Indexes));
        Assert.Empty(IndexRules.Serving(BsonDocument.Parse("{ $or: [ { t: 'Patient' }, { v: 1 } ] }"), null, Indexes));
        Assert.Empty(IndexRules.Serving(BsonDocument.Parse("{ $nor: [ { t: 'Patient' } ] }"), null, Indexes));
        Assert.DoesNotContain(IndexRules.Serving(BsonDocument.Parse("{ t: 'Patient', u: { $gte: '' } }"), new("i", 1), Indexes), c => c.Index == "byUpdate" && c.GivesOrder);
    }

    [Fact]
    public async Task Shapes_AsTheServerExplainsThem_UseIndexes()
    {
        await using var database = new TestDatabase();
        await using (await database.OpenAsync())
        {
        }
        var writer = new DocumentWriter(A.OrderedFields.ToFrozenSet());
        await database.Documents(Names.Records).InsertManyAsync(Enumerable.Range(0, 2000).Select(i => writer.Record(
            A.Record(A.Key($"p{i}"), index: A.Entries((A.Name, $"n{i % 40}"), (A.Name, $"m{i}"), (A.Rank, $"{i % 500}"))), Journalled.Current, ObjectId.GenerateNewId())));
        foreach (var (shape, (query, _, _)) in Questions)
        {
            foreach (var (filter, sort) in RecordReader.Steps(query, Filters.Of(query.Type, query.Where)!))
            {
                var explained = await database.Raw.RunCommandAsync<BsonDocument>(new BsonDocument
                {
                    { "explain", new BsonDocument { { "find", Names.Records }, { "filter", filter }, { "sort", sort }, { "limit", 11 } } },
                    { "verbosity", "queryPlanner" },
                });
                var plan = explained["queryPlanner"]["winningPlan"].ToJson();
                Assert.False(plan.Contains("COLLSCAN", StringComparison.Ordinal), $"{shape}: {plan}");
                Assert.True(plan.Contains("IXSCAN", StringComparison.Ordinal) || plan.Contains("EOF", StringComparison.Ordinal), $"{shape}: {plan}");
            }
        }
    }

    private static RecordQuery Ask(Predicate where, RecordOrder order = default, RecordCursor? after = null) => new("Patient", where, order, after, 10);
}
