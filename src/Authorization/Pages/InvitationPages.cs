using Authorization.Access;
using Authorization.Accounts;
using Authorization.Endpoints;
using FhirCore.Auditing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Authorization.Pages;

/// <summary><c>/auth/invitations</c> for administrators, and <c>/auth/invitation</c> where the link leads.</summary>
internal sealed class InvitationPages(Invitations invitations, Sessions sessions, CodeDelivery delivery, LoginThrottle throttle)
{
    private const string Throttled = "invitation page"; // no client has an id with a blank
    private const int LongestName = 100;

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapStaffPage("invitations", [Role.Administrator], visit => ShowAsync(visit, new(), null), InviteAsync);
        routes.MapStaffPage("invitations/withdraw", [Role.Administrator], visit => ShowAsync(visit, new(), null), WithdrawAsync);
        routes.MapPage("invitation", visit => ShowInvitationAsync(visit, visit.Query("token"), new()), AcceptAsync);
    }

    private async Task ShowAsync(Visit visit, FormFaults faults, string? link) => await visit.ShowAsync<Invite>(
        faults.HasAny ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status200OK, (nameof(Invite.Faults), faults), (nameof(Invite.Link), link),
        (nameof(Invite.Open), await invitations.OpenOnesAsync(visit.Aborted)));

    private async Task InviteAsync(Visit visit)
    {
        var faults = new FormFaults();
        var email = visit.Field("email");
        var contact = email.Length == 0 ? null : Contact.Parse(email);
        if (email.Length > 0 && contact is not { Kind: ContactKind.Email })
        {
            faults.Add("email", "invite.email.wrong");
        }
        var organization = Last(visit.Field("organization"), "Organization/");
        var practitioner = visit.Field("practitioner");
        if (!Enum.TryParse<Role>(visit.Field("role"), out var role))
        {
            role = Role.Patient; // refused below
        }
        string? link = null;
        if (!faults.HasAny)
        {
            var invited = await invitations.InviteAsync(
                new()
                {
                    Role = role,
                    Organization = organization.Length == 0 ? null : organization,
                    FhirUser = practitioner.Length == 0 ? null : "Practitioner/" + Last(practitioner, "Practitioner/"),
                    Email = contact?.Value,
                    By = visit.Who.AccountId,
                },
                visit.Aborted);
            if (!invited.TryGet(out link, out var refusal))
            {
                faults.Add(refusal.Issues[0].Detail ?? "", $"invite.{refusal.Issues[0].Detail}.wrong");
            }
            else
            {
                await visit.KeepAsync(SecurityEventKind.AccountChange, $"invited-{role}");
                if (contact is not null && delivery.Has(ContactKind.Email))
                {
                    delivery.Send(contact, visit.Texts["message.invite.subject"], visit.Texts.Format("message.invite.text", link));
                }
            }
        }
        await ShowAsync(visit, faults, link);
    }

    private static string Last(string text, string prefix) => text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : text;

    private async Task WithdrawAsync(Visit visit)
    {
        await invitations.WithdrawAsync(visit.Field("invitation"), visit.Aborted);
        await visit.KeepAsync(SecurityEventKind.AccountChange, "invitation-withdrawn");
        await visit.GoToAsync(visit.PathOf("invitations"));
    }

    private async Task ShowInvitationAsync(Visit visit, string token, FormFaults faults)
    {
        if (await throttle.WaitForAsync(Throttled, visit.Address, visit.Aborted) is not null)
        {
            await visit.TellAsync("wait", StatusCodes.Status429TooManyRequests);
            return;
        }
        if (await invitations.FindAsync(token, visit.Aborted) is not { } invitation)
        {
            await throttle.FailedAsync(Throttled, visit.Address, CancellationToken.None);
            await visit.TellAsync("invitation.over", StatusCodes.Status410Gone, visit.PathOf("sign-in"));
            return;
        }
        await visit.ShowAsync<Invitation>(
            faults.HasAny ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status200OK, (nameof(Invitation.Faults), faults), (nameof(Invitation.Token), token),
            (nameof(Invitation.Role), invitation.Role), (nameof(Invitation.UserName), visit.Field("username") is { Length: > 0 } typed ? typed : invitation.Email),
            (nameof(Invitation.DisplayName), visit.Field("name")));
    }

    private async Task AcceptAsync(Visit visit)
    {
        var token = visit.Field("token");
        var faults = new FormFaults();
        var name = visit.Field("name");
        if (name.Length > LongestName)
        {
            faults.Add("name", "invitation.name.wrong");
            await ShowInvitationAsync(visit, token, faults);
            return;
        }
        var accepted = await invitations.AcceptAsync(token, visit.Field("username"), visit.Typed("password"), name, visit.Texts.Language, visit.Aborted);
        if (accepted.TryGet(out var account, out var refusal))
        {
            await visit.KeepAsync(SecurityEventKind.AccountChange, "invitation-accepted", about: account);
            await sessions.BeginAsync(visit.Http, account, ["pwd"], visit.Aborted);
            await visit.GoToAsync(visit.PathOf("account"));
            return;
        }
        switch (refusal.Issues[0].Detail)
        {
            case "username":
                faults.Add("username", "username.wrong");
                break;
            case "username-taken":
                faults.Add("username", "username.taken");
                break;
            case "password":
                faults.Add("password", $"password.{refusal.Issues[0].Diagnostics}");
                break;
        }
        await ShowInvitationAsync(visit, token, faults);
    }
}
