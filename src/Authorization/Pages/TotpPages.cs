using System.Text;
using Authorization.Accounts;
using FhirCore.Auditing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using QRCoder;

namespace Authorization.Pages;

/// <summary><c>/auth/account/totp</c>: one-time codes as a second factor.</summary>
internal sealed class TotpPages(SecondFactor secondFactor, PasswordSignIn passwords, Sessions sessions)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapSetUpPage("account/totp", visit => ShowAsync(visit, new()), ConfirmAsync);
        routes.MapSetUpPage("account/totp/begin", visit => visit.GoToAsync(visit.PathOf("account/totp")), BeginAsync);
        routes.MapOwnPage("account/totp/codes", visit => visit.GoToAsync(visit.PathOf("account/totp")), RenewAsync);
        routes.MapOwnPage("account/totp/remove", visit => visit.GoToAsync(visit.PathOf("account/totp")), RemoveAsync);
    }

    private Task ShowAsync(Visit visit, FormFaults faults)
    {
        var account = visit.Who.Account;
        var address = account.TotpSecret is null && account.TotpPending is { } pending ? secondFactor.Address(account, pending) : null;
        return visit.ShowAsync<Totp>(
            faults.HasAny ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status200OK, (nameof(Totp.Faults), faults), (nameof(Totp.Address), address),
            (nameof(Totp.Picture), address is null ? null : Picture(address)));
    }

    private static string Picture(string address)
    {
        using var generator = new QRCodeGenerator();
        using var data = generator.CreateQrCode(address, QRCodeGenerator.ECCLevel.M);
        using var svg = new SvgQRCode(data);
        return "data:image/svg+xml;base64," + Convert.ToBase64String(Encoding.UTF8.GetBytes(svg.GetGraphic(4)));
    }

    private async Task BeginAsync(Visit visit)
    {
        var faults = new FormFaults();
        if (!await ConfirmedAsync(visit, faults, "password"))
        {
            await ShowAsync(visit, faults);
            return;
        }
        await secondFactor.BeginAsync(visit.Who.AccountId, visit.Aborted);
        await visit.GoToAsync(visit.PathOf("account/totp"));
    }

    private async Task ConfirmAsync(Visit visit)
    {
        if (await secondFactor.ConfirmAsync(visit.Who.AccountId, visit.Field("code"), visit.Aborted) is { } codes)
        {
            await sessions.EndAllAsync(visit.Who.AccountId, visit.Who.SessionId, visit.Aborted); // others were begun without it
            await visit.KeepAsync(SecurityEventKind.AccountChange, "second-factor-added");
            await visit.ShowAsync<RecoveryCodes>(StatusCodes.Status200OK, (nameof(RecoveryCodes.Codes), codes));
            return;
        }
        var faults = new FormFaults();
        faults.Add("code", "sign-in.code.wrong");
        await ShowAsync(visit, faults);
    }

    private async Task RenewAsync(Visit visit)
    {
        var faults = new FormFaults();
        if (await ConfirmedAsync(visit, faults, "password-codes") && await secondFactor.RenewRecoveryCodesAsync(visit.Who.AccountId, visit.Aborted) is { } codes)
        {
            await visit.KeepAsync(SecurityEventKind.AccountChange, "recovery-codes");
            await visit.ShowAsync<RecoveryCodes>(StatusCodes.Status200OK, (nameof(RecoveryCodes.Codes), codes));
            return;
        }
        await ShowAsync(visit, faults);
    }

    private async Task RemoveAsync(Visit visit)
    {
        var faults = new FormFaults();
        if (!await ConfirmedAsync(visit, faults, "password-remove"))
        {
            await ShowAsync(visit, faults);
            return;
        }
        await secondFactor.RemoveAsync(visit.Who.AccountId, visit.Aborted);
        await visit.KeepAsync(SecurityEventKind.AccountChange, "second-factor-removed");
        await visit.GoToAsync(visit.PathOf("account/totp"));
    }

    private async Task<bool> ConfirmedAsync(Visit visit, FormFaults faults, string field)
    {
        if (await passwords.ConfirmAsync(visit.Who, visit.Typed(field), visit.Address, visit.Aborted))
        {
            return true;
        }
        faults.AddNotConfirmed(visit.Who.Account, field);
        return false;
    }
}
