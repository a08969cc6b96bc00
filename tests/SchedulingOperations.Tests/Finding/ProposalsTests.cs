using CsCheck;
using FhirCore;
using FhirStore.Encryption;
using SchedulingOperations.Finding;

namespace SchedulingOperations.Tests.Finding;

public sealed class ProposalsTests
{
    private readonly Proposals _proposals = new(new IndexTokens(new byte[32], 1));

    private static readonly Gen<Proposal> AnyProposal = Gen.Select(Gen.Byte.Array[16].Array[1, 2], Gen.Int[0, int.MaxValue], Gen.Int[1, (1 << 24) - 1]).Select((tokens, start, length) =>
        new Proposal([.. tokens], new(DateTimeOffset.FromUnixTimeSeconds(start), DateTimeOffset.FromUnixTimeSeconds((long)start + length))));

    [Fact]
    public void Encode_AnyProposal_IsAFhirIdThatIsReadBack() => AnyProposal.Sample(proposal =>
    {
        var id = _proposals.Encode(proposal);
        return FhirIds.IsValid(id) && _proposals.TryDecode(id, out var back) && back.Span == proposal.Span
            && back.ScheduleTokens.Length == proposal.ScheduleTokens.Length && back.ScheduleTokens.Zip(proposal.ScheduleTokens).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));
    });

    [Fact]
    public void TryDecode_OneCharacterChanged_IsRefused() => Gen.Select(AnyProposal, Gen.Int[0, 63], Gen.Char["abcXYZ019-."]).Sample((proposal, at, to) =>
    {
        var id = _proposals.Encode(proposal).ToCharArray();
        at %= id.Length;
        if (id[at] == to)
        {
            return true;
        }
        id[at] = to;
        return !_proposals.TryDecode(new(id), out _);
    });

    [Fact]
    public void TryDecode_OtherIds_AreNoProposals()
    {
        Assert.False(_proposals.TryDecode(null, out _));
        Assert.False(_proposals.TryDecode("p", out _));
        Assert.False(_proposals.TryDecode(Guid.NewGuid().ToString(), out _));
    }
}
