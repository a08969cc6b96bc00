using System.Text.Json.Nodes;
using SchedulingOperations.Finding;
using SchedulingOperations.Views;

namespace SchedulingOperations.Booking;

/// <summary>An appointment out of a proposal that was only referred to: its actors come from the schedules.</summary>
internal static class ProposalEdits
{
    public static JsonObject Begin(Proposal proposal) => new()
    {
        ["resourceType"] = "Appointment",
        ["status"] = "proposed",
        ["start"] = InstantText.Utc(proposal.Span.Start),
        ["end"] = InstantText.Utc(proposal.Span.End),
    };
}
