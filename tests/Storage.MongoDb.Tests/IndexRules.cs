using MongoDB.Bson;
using Storage.MongoDb.Connecting;

namespace Storage.MongoDb.Tests;

/// <summary>
/// MongoDB's rules for which index may serve a find, as far as this store's questions need them: bounds on the index's leading elements, a partial
/// index only where the filter implies its condition, an order from the index only behind elements that are fixed to one value.
/// https://www.mongodb.com/docs/manual/tutorial/sort-results-with-indexes/
/// </summary>
internal static class IndexRules
{
    public sealed record Choice(string Index, bool GivesOrder);

    /// <returns>Indexes that bound the scan; for alternatives, those of each. Empty: the collection would be scanned.</returns>
    public static List<Choice> Serving(BsonDocument filter, BsonDocument? sort, IEnumerable<IndexPlan> plans)
    {
        var parts = Conjuncts(filter).ToList();
        var choices = plans.Select(plan => Serve(plan, parts, sort)).OfType<Choice>().ToList();
        if (choices.Count > 0)
        {
            return choices;
        }
        foreach (var alternatives in parts.Where(p => p.Name == "$or").Select(p => p.Value.AsBsonArray))
        {
            var rest = parts.Where(p => p.Name != "$or").ToList();
            var each = alternatives.Select(a => Serving(new BsonDocument("$and", new BsonArray(rest.Select(r => new BsonDocument(r)).Append(a.AsBsonDocument))), null, plans)).ToList();
            if (each.All(e => e.Count > 0))
            {
                return [.. each.SelectMany(e => e.Select(c => c with { GivesOrder = false }))];
            }
        }
        return [];
    }

    private static Choice? Serve(IndexPlan plan, List<BsonElement> parts, BsonDocument? sort)
    {
        if (plan.Only is { } only && !parts.Any(p => p.Name == only && Bounds(p.Value)))
        {
            return null;
        }
        if (!parts.Any(p => p.Name == plan.Keys[0] && Bounds(p.Value)))
        {
            return null;
        }
        var isFixed = plan.Keys.TakeWhile(k => parts.Any(p => p.Name == k && p.Value is BsonString)).Count();
        return new(plan.Name, sort is not null && GivesOrder(plan, isFixed, sort));
    }

    private static bool GivesOrder(IndexPlan plan, int isFixed, BsonDocument sort) =>
        sort.Names.SequenceEqual(plan.Keys.Skip(isFixed).Take(sort.ElementCount)) && sort.Values.Distinct().Count() == 1;

    private static bool Bounds(BsonValue condition) => condition is BsonString || (condition is BsonDocument operators
        && operators.Names.All(n => n is "$gte" or "$gt" or "$lt" or "$lte" or "$in" or "$elemMatch"));

    private static IEnumerable<BsonElement> Conjuncts(BsonDocument filter) =>
        filter.Elements.SelectMany(e => e.Name == "$and" ? e.Value.AsBsonArray.SelectMany(p => Conjuncts(p.AsBsonDocument)) : [e]);
}
