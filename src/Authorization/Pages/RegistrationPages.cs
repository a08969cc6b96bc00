using Authorization.Accounts;
using Authorization.Endpoints;
using FhirCore.Auditing;
using FhirStore.Sealed;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Authorization.Pages;

/// <summary><c>/auth/register</c>, <c>/auth/reset</c>, and the code that both ask for.</summary>
internal sealed class RegistrationPages(Registration registration, Flows flows, LoginThrottle throttle)
{
    private const string Throttled = "register page"; // no client has an id with a blank

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPage("register", visit => registration.IsOpen ? ShowRegisterAsync(visit, new()) : RefuseAsync(visit, "register.off"), RegisterAsync);
        routes.MapPage("reset", visit => registration.CanReset ? visit.ShowAsync<Reset>() : RefuseAsync(visit, "reset.off"), ResetAsync);
        routes.MapPage("code", ShowCodeAsync, TryCodeAsync);
        routes.MapPage("code/again", ShowCodeAsync, SendAgainAsync);
        routes.MapPage("reset/password", ShowNewPasswordAsync, SetPasswordAsync);
    }

    private static Task RefuseAsync(Visit visit, string key) => visit.TellAsync(key, StatusCodes.Status403Forbidden, visit.PathOf("sign-in"));

    private static Task OverAsync(Visit visit) => visit.TellAsync("flow.over", StatusCodes.Status410Gone, visit.PathOf("sign-in"));

    private Task ShowRegisterAsync(Visit visit, FormFaults faults) => visit.ShowAsync<Register>(
        faults.HasAny ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status200OK, (nameof(Register.Faults), faults), (nameof(Register.Contact), visit.Field("contact")),
        (nameof(Register.ByEmail), registration.Reaches(ContactKind.Email)), (nameof(Register.ByPhone), registration.Reaches(ContactKind.Phone)));

    private async Task RegisterAsync(Visit visit)
    {
        if (!registration.IsOpen)
        {
            await RefuseAsync(visit, "register.off");
            return;
        }
        var faults = new FormFaults();
        var contact = Contact.Parse(visit.Field("contact"));
        if (contact is null || !registration.Reaches(contact.Kind))
        {
            faults.Add("contact", "register.contact.wrong");
        }
        faults.AddPassword("password", PasswordRules.Check(visit.Typed("password"), contact?.Value));
        if (!faults.HasAny && await MustWaitAsync(visit))
        {
            faults.Add("", "sign-in.wait");
        }
        if (faults.HasAny)
        {
            await ShowRegisterAsync(visit, faults);
            return;
        }
        await registration.BeginAsync(visit.Http, contact!, visit.Typed("password"), visit.Texts, visit.Aborted);
        await visit.GoToAsync(visit.PathOf("code"));
    }

    private async Task ResetAsync(Visit visit)
    {
        if (!registration.CanReset)
        {
            await RefuseAsync(visit, "reset.off");
            return;
        }
        if (await MustWaitAsync(visit))
        {
            await visit.ShowAsync<Reset>(StatusCodes.Status429TooManyRequests, (nameof(Reset.Fault), "sign-in.wait"));
            return;
        }
        await registration.BeginResetAsync(visit.Http, visit.Field("username"), visit.Texts, visit.Aborted);
        await visit.GoToAsync(visit.PathOf("code"));
    }

    /// <summary>Each of these may cost a message: so many of one address in a minute.</summary>
    private async Task<bool> MustWaitAsync(Visit visit)
    {
        if (await throttle.WaitForAsync(Throttled, visit.Address, visit.Aborted) is not null)
        {
            return true;
        }
        await throttle.FailedAsync(Throttled, visit.Address, CancellationToken.None);
        return false;
    }

    private async Task ShowCodeAsync(Visit visit) =>
        await (await CodeFlowAsync(visit) is { } flow ? ShowCodeAsync(visit, flow, null, null) : OverAsync(visit));

    private static Task ShowCodeAsync(Visit visit, Sealed<StoredFlow> flow, string? fault, string? note) => visit.ShowAsync<Code>(
        fault is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity, (nameof(Code.Fault), fault), (nameof(Code.Note), note),
        (nameof(Code.For), flow.Value.Kind), (nameof(Code.To), flow.Value.Kind == FlowKind.Register ? flow.Value.Contact : null));

    private async Task TryCodeAsync(Visit visit)
    {
        if (await CodeFlowAsync(visit) is not { } flow)
        {
            await OverAsync(visit);
            return;
        }
        switch (await flows.TryCodeAsync(flow.Id, visit.Field("code").Replace(" ", "", StringComparison.Ordinal), visit.Aborted))
        {
            case CodeResult.Wrong:
                await visit.KeepAsync(SecurityEventKind.SignIn, "code", succeeded: false, about: flow.Value.AccountId);
                await ShowCodeAsync(visit, flow, "code.wrong", null);
                return;
            case CodeResult.Over:
                await ShowCodeAsync(visit, flow, "code.over", null);
                return;
        }
        if (flow.Value.Kind == FlowKind.Reset)
        {
            await visit.GoToAsync(visit.PathOf("reset/password"));
            return;
        }
        var proven = await flows.FindAsync(visit.Http, FlowKind.Register, visit.Aborted);
        if (proven is null || !(await registration.FinishAsync(visit.Http, proven, visit.Texts.Language, visit.Aborted)).TryGet(out var account, out _))
        {
            await OverAsync(visit);
            return;
        }
        await visit.KeepAsync(SecurityEventKind.AccountChange, "registered", about: account);
        await visit.GoToAsync(visit.PathOf("account/link"));
    }

    private async Task SendAgainAsync(Visit visit)
    {
        if (await CodeFlowAsync(visit) is not { } flow)
        {
            await OverAsync(visit);
            return;
        }
        var sent = await registration.SendAgainAsync(flow, visit.Texts, visit.Aborted);
        await ShowCodeAsync(visit, flow, sent ? null : "code.too-early", sent ? "code.sent-again" : null);
    }

    private async Task<Sealed<StoredFlow>?> CodeFlowAsync(Visit visit) =>
        await flows.FindAsync(visit.Http, visit.Aborted) is { Value.Kind: FlowKind.Register or FlowKind.Reset } flow ? flow : null;

    private async Task ShowNewPasswordAsync(Visit visit) =>
        await (await ProvenResetAsync(visit) is null ? OverAsync(visit) : visit.ShowAsync<ResetPassword>(StatusCodes.Status200OK, (nameof(ResetPassword.Faults), new FormFaults())));

    private async Task SetPasswordAsync(Visit visit)
    {
        if (await ProvenResetAsync(visit) is not { } flow)
        {
            await OverAsync(visit);
            return;
        }
        var faults = new FormFaults();
        faults.AddPassword("password", PasswordRules.Check(visit.Typed("password"), flow.Value.Contact));
        if (faults.HasAny)
        {
            await visit.ShowAsync<ResetPassword>(StatusCodes.Status422UnprocessableEntity, (nameof(ResetPassword.Faults), faults));
            return;
        }
        if (!await registration.FinishResetAsync(visit.Http, flow, visit.Typed("password"), visit.Aborted))
        {
            await OverAsync(visit);
            return;
        }
        await visit.KeepAsync(SecurityEventKind.AccountChange, "password-reset", about: flow.Value.AccountId);
        await visit.TellAsync("reset.done", next: visit.PathOf("sign-in"));
    }

    private async Task<Sealed<StoredFlow>?> ProvenResetAsync(Visit visit) =>
        await flows.FindAsync(visit.Http, FlowKind.Reset, visit.Aborted) is { Value.Proven: true } flow ? flow : null;
}
