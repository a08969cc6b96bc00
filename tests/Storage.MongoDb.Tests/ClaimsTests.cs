using System.Text;
using CsCheck;
using FhirCore.Records;
using Storage.Contract;
using Storage.MongoDb.Documents;
using Storage.MongoDb.Writing;

namespace Storage.MongoDb.Tests;

public sealed class ClaimsTests
{
    private static readonly string[] Actors = ["aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb", "cccccccccccccccc"];

    private static readonly Gen<string> AnyActor = Gen.Int[0, 2].Select(i => Actors[i]);
    private static readonly Gen<string> AnyShort = Gen.Int[0, 2].Select(i => $"s{i}");

    /// <summary>Conditions of one shape that differ in their values only.</summary>
    private static readonly Gen<(Predicate, Predicate)> TwoOfOneShape = Gen.OneOf(
        Two(AnyShort.Select(v => A.Is(A.Name, v))),
        Two(AnyActor.Select(v => A.Is(A.Born, v + "00"))),
        Two(AnySpan()),
        Two(Gen.Select(AnySpan(), AnyShort, (span, v) => A.All(span, A.Not(A.Is(A.Name, v))))),
        Two(Gen.Select(AnyShort, AnySpan(), (v, span) => A.All(A.Is(A.Name, v), span))),
        Two(Gen.Select(AnyShort, AnySpan(), (v, span) => A.Any(A.Is(A.Name, v), span))),
        Two(Gen.Select(AnySpan(), AnySpan(), (a, b) => A.Any(a, A.All(b, new Predicate.Present(A.Name))))),
        Two(Gen.Select(AnyShort, AnyShort, (a, b) => A.Between(A.Name, a, b))),
        Two(AnyShort.Select(v => A.Not(A.Is(A.Name, v)))),
        Two(AnyShort.Select(v => A.Any(A.Is(A.Name, v), new Predicate.Present(A.Rank)))),
        Two(AnyShort.Select(v => A.Ids(v))),
        Two(Gen.Const(Predicate.Everything)));

    private static readonly Gen<IndexEntries> AnyEntries = Gen.Select(AnyShort.Array[0, 2], Gen.Select(AnyActor, AnyTime()).Array[0, 3], Gen.Bool, (names, times, ranked) =>
        A.Entries([.. names.Select(n => (A.Name, n)), .. times.Select(t => (A.Born, t.Item1 + t.Item2)), .. ranked ? new[] { (A.Rank, "r") } : []]));

    [Fact]
    public void TwoConditionsOfOneShape_ARecordOfOneMeetsTheOther_ShareAClaim()
    {
        var met = 0;
        Gen.Select(TwoOfOneShape, AnyEntries, AnyEntries).Sample((conditions, mine, yours) =>
        {
            var first = A.Commit(A.Write(A.Record(A.Key("s0"), index: mine))).When(A.None(conditions.Item1));
            var second = A.Commit(A.Write(A.Record(A.Key("s1"), index: yours))).When(A.None(conditions.Item2));
            if (conditions.Item2.Matches("s0", mine) || conditions.Item1.Matches("s1", yours))
            {
                Interlocked.Increment(ref met);
                return ConditionClaims.Of(first).Overlaps(ConditionClaims.Of(second));
            }
            return true;
        }, iter: 5_000, print: s => $"{s.Item1}");
        Assert.True(met > 500, $"Only {met} samples met.");
    }

    [Fact]
    public void EqualConditions_ShareAClaim_WhateverTheyWrite() =>
        TwoOfOneShape.Sample(two => ConditionClaims.Of(A.Commit().When(A.None(two.Item1))).Overlaps(
            ConditionClaims.Of(A.Commit(A.Write(A.Record(A.Key("x")))).When(A.None(two.Item1)))));

    [Fact]
    public void TimesOfDifferentActors_DoNotMeet()
    {
        static Commit Of(string actor) => A.Commit(A.Write(A.Record(A.Key(actor), index: A.Entries((A.Born, actor + "05")))))
            .When(A.None(A.All(A.Between(A.Born, actor + "01", actor + "09"), A.Not(A.Between(A.Rank, "1", "2")))));
        Assert.Empty(ConditionClaims.Of(Of(Actors[0])).Intersect(ConditionClaims.Of(Of(Actors[1]))));
        Assert.Single(ConditionClaims.Of(Of(Actors[0])));
    }

    [Fact]
    public void NoCondition_NoClaims() =>
        Assert.Empty(ConditionClaims.Of(A.Commit(A.Write(A.Record(A.Key("a"), index: A.Entries((A.Name, "xx")))))));

    [Fact]
    public void Commits_ThatMakeWhatTheOtherRequiresAbsent_ShareAClaim()
    {
        static CommitPlan Plan(string makes, string absent) => new(A.Commit(A.Write(A.Record(A.Key(makes)))).When(new RecordCondition.VersionIs(A.Key(absent), 0)), isSharded: false);
        Assert.True(Plan("a", "b").Claims.Overlaps(Plan("b", "a").Claims));
        Assert.Empty(new CommitPlan(A.Commit(A.Write(A.Record(A.Key("a")))), isSharded: false).Claims);
        Assert.NotEmpty(new CommitPlan(A.Commit(A.Write(A.Record(A.Key("a")))), isSharded: true).Claims);
    }

    [Fact]
    public void OrderedText_OrdersAsTheBytesDo_AndComesBack() =>
        Gen.Select(Gen.Byte.Array[0, 12], Gen.Byte.Array[0, 12]).Sample((a, b) =>
            Math.Sign(string.CompareOrdinal(OrderedText.Of(a), OrderedText.Of(b))) == Math.Sign(a.AsSpan().SequenceCompareTo(b))
            && OrderedText.Bytes(OrderedText.Of(a))!.AsSpan().SequenceEqual(a), iter: 20_000);

    [Theory]
    [InlineData("a")]
    [InlineData("+/")]
    [InlineData("ä-")]
    [InlineData("-1")] // bits beyond the last byte
    public void OrderedText_NotOfItsMaking_IsNoBytes(string text) => Assert.Null(OrderedText.Bytes(text));

    [Fact]
    public void EntryText_LiesWithinItsFieldAndType() =>
        Gen.Select(Gen.UInt, Gen.UInt, Gen.Byte.Array[1, 9]).Sample((n, m, value) =>
        {
            var (field, other) = (new IndexField(n), new IndexField(m));
            var (from, to) = (EntryText.Of("Patient", field, []), EntryText.EndOf("Patient", field));
            bool Within(string type, IndexField f) =>
                EntryText.Of(type, f, value) is var text && string.CompareOrdinal(from, text) <= 0 && string.CompareOrdinal(text, to) < 0;
            return Within("Patient", field) && (n == m || !Within("Patient", other)) && !Within("Patients", field) && !Within("Pat", field);
        }, iter: 5_000);

    private static Gen<string> AnyTime() => Gen.Int[0, 9].Select(i => $"{i:d2}");

    private static Gen<Predicate> AnySpan() => Gen.Select(AnyActor, Gen.Int[0, 9], Gen.Int[1, 5], (actor, from, length) =>
        A.Between(A.Born, $"{actor}{from:d2}", $"{actor}{from + length:d2}"));

    private static Gen<(Predicate, Predicate)> Two(Gen<Predicate> one) => Gen.Select(one, one);
}
