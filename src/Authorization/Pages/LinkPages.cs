using System.Collections.Immutable;
using System.Globalization;
using Authorization.Access;
using Authorization.Accounts;
using FhirCore.Auditing;
using FhirStore.Sealed;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Authorization.Pages;

/// <summary><c>/auth/account/link</c>, where a person says which Patient they are, and <c>/auth/links</c>, where staff decide.</summary>
internal sealed class LinkPages(PatientLinks links, PatientMatch match, AccountDirectory accounts, TimeProvider clock)
{
    private const int LongestText = 200;
    private static readonly Role[] Deciding = [Role.Receptionist, Role.Manager, Role.Administrator];

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapOwnPage("account/link", ShowAsync, StateAsync);
        routes.MapStaffPage("links", Deciding, ShowWaitingAsync, DecideAsync);
    }

    private async Task ShowAsync(Visit visit) => await ShowAsync(visit, new());

    private async Task ShowAsync(Visit visit, FormFaults faults) => await visit.ShowAsync<LinkPatient>(
        faults.HasAny ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status200OK,
        (nameof(LinkPatient.Faults), faults), (nameof(LinkPatient.Asked), await links.HasAskedAsync(visit.Who.AccountId, visit.Aborted)));

    private async Task StateAsync(Visit visit)
    {
        if (visit.Who.Account.FhirUser is not null)
        {
            await ShowAsync(visit);
            return;
        }
        var faults = new FormFaults();
        var value = visit.Field("identifier");
        var family = visit.Field("family-name");
        var system = visit.Field("system");
        if (value.Length is 0 or > LongestText || system.Length > LongestText)
        {
            faults.Add("identifier", "link.identifier.wrong");
        }
        if (family.Length is 0 or > LongestText)
        {
            faults.Add("family-name", "link.family.wrong");
        }
        if (!DateOnly.TryParseExact(visit.Field("bday"), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var born)
            || born > DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime) || born.Year < 1850)
        {
            faults.Add("bday", "link.born.wrong");
        }
        if (faults.HasAny)
        {
            await ShowAsync(visit, faults);
            return;
        }
        switch (await links.StateAsync(visit.Who.AccountId, new(system.Length == 0 ? null : system, value, family, born), visit.Aborted))
        {
            case LinkResult.Linked:
                await visit.KeepAsync(SecurityEventKind.AccountChange, "linked-by-match");
                await visit.TellAsync("link.done", next: visit.PathOf("account"));
                break;
            case LinkResult.TooMany:
                faults.Add("", "link.too-many");
                await ShowAsync(visit, faults);
                break;
            default:
                await visit.TellAsync("link.asked", next: visit.PathOf("account"));
                break;
        }
    }

    private async Task ShowWaitingAsync(Visit visit)
    {
        const int most = 50;
        var waiting = new List<LinkCase>();
        await foreach (var request in links.WaitingAsync(visit.Aborted))
        {
            if (await accounts.FindAsync(request.Id, visit.Aborted) is not { } account)
            {
                continue; // erased
            }
            var found = await match.FindAsync(request.Value.Claim, account.Value, visit.Aborted);
            var candidates = ImmutableArray.CreateBuilder<(PatientCandidate Patient, bool Linked)>(found.Length);
            foreach (var candidate in found)
            {
                candidates.Add((candidate, await links.IsLinkedAsync(candidate.Id, visit.Aborted)));
            }
            waiting.Add(new(request, account.Value, candidates.DrainToImmutable()));
            if (waiting.Count == most)
            {
                break;
            }
        }
        await visit.ShowAsync<LinkRequests>(StatusCodes.Status200OK, (nameof(LinkRequests.Waiting), waiting));
    }

    private async Task DecideAsync(Visit visit)
    {
        var account = visit.Field("account");
        if (account == visit.Who.AccountId)
        {
            await visit.TellAsync("not-allowed", StatusCodes.Status403Forbidden, visit.PathOf("links")); // nobody decides who they are themselves
            return;
        }
        if (visit.Field("patient") is { Length: > 0 } patient)
        {
            if (!await links.ApproveAsync(account, patient, visit.Who.AccountId, visit.Aborted))
            {
                await visit.TellAsync("links.changed", StatusCodes.Status409Conflict, visit.PathOf("links"));
                return;
            }
            await visit.KeepAsync(SecurityEventKind.AccountChange, "linked-by-staff", about: account);
            await visit.GoToAsync(visit.PathOf("links"));
            return;
        }
        await links.RefuseAsync(account, visit.Aborted);
        await visit.KeepAsync(SecurityEventKind.AccountChange, "link-refused", about: account);
        await visit.GoToAsync(visit.PathOf("links"));
    }
}

/// <param name="Candidates">Patients with the stated identifier; and whether another account is that Patient already.</param>
public sealed record LinkCase(Sealed<StoredLinkRequest> Request, Account Account, ImmutableArray<(PatientCandidate Patient, bool Linked)> Candidates);
