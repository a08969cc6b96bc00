using System.Globalization;
using Authorization.Pages;
using FhirCore;
using FhirStore.Sealed;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Authorization.Accounts;

/// <summary>
/// Patients make their own accounts, and everyone gets back in after a forgotten password: both by a code to an address they prove to be
/// theirs. Nobody learns whether an address has an account, except its owner, by the message.
/// </summary>
public sealed class Registration(
    Flows flows, AccountDirectory accounts, AccountRegistry registry, Passwords passwords, Sessions sessions, LockOut lockOut, CodeDelivery delivery, IOptions<AccountOptions> options)
{
    /// <summary>False where patients cannot register themselves: it is switched off, or no code can be sent.</summary>
    public bool IsOpen => options.Value.SelfRegistration && delivery.HasAny;

    public bool CanReset => delivery.HasAny;

    public bool Reaches(ContactKind kind) => delivery.Has(kind);

    public async Task BeginAsync(HttpContext context, Contact contact, string password, Texts texts, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(contact);
        var taken = await accounts.FindByUserNameAsync(contact.Value, ct) is not null;
        var flow = new StoredFlow { Kind = FlowKind.Register, ContactKind = contact.Kind, Contact = contact.Value, PasswordHash = passwords.Hash(password) };
        await SendAsync(contact, await flows.BeginAsync(context, flow, withCode: !taken, ct), FlowKind.Register, texts, ct);
    }

    /// <param name="typed">A user name: the code goes to the address of its account.</param>
    public async Task BeginResetAsync(HttpContext context, string typed, Texts texts, CancellationToken ct)
    {
        var account = await accounts.FindByUserNameAsync(Contact.Parse(typed)?.Value ?? typed, ct);
        var to = account is { Value.Status: not AccountStatus.Disabled } ? ReachOf(account.Value) : null;
        var flow = new StoredFlow { Kind = FlowKind.Reset, AccountId = to is null ? null : account!.Id, ContactKind = to?.Kind ?? default, Contact = to?.Value };
        var code = await flows.BeginAsync(context, flow, withCode: to is not null, ct);
        if (to is not null)
        {
            await SendAsync(to, code, FlowKind.Reset, Texts.Of(account!.Value.Language), ct);
        }
    }

    /// <returns>False where it is too early for another code.</returns>
    public async Task<bool> SendAgainAsync(Sealed<StoredFlow> flow, Texts texts, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(flow);
        var opens = flow.Value.Kind == FlowKind.Reset
            ? flow.Value.AccountId is not null
            : flow.Value.Contact is { } contact && await accounts.FindByUserNameAsync(contact, ct) is null;
        if (await flows.RenewAsync(flow.Id, opens, ct) is not { } renewed)
        {
            return false;
        }
        if (renewed.Flow.Contact is { } to)
        {
            await SendAsync(new(renewed.Flow.ContactKind, to), renewed.Code, renewed.Flow.Kind, texts, ct);
        }
        return true;
    }

    /// <summary>Makes the account whose contact is proven, and signs its owner in.</summary>
    public async Task<Outcome<string>> FinishAsync(HttpContext context, Sealed<StoredFlow> flow, string language, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(flow);
        var proven = flow.Value;
        if (!proven.Proven || proven.Kind != FlowKind.Register || proven.Contact is not { } contact || !await flows.EndAsync(context, flow, ct))
        {
            return FhirFailure.Of(FailureKind.Conflict, "The registration is over.");
        }
        await lockOut.ForgiveAsync(SendLimit(contact), ct);
        var created = await registry.CreateAsync(
            new(contact)
            {
                PasswordHash = proven.PasswordHash,
                Email = proven.ContactKind == ContactKind.Email ? contact : null,
                Phone = proven.ContactKind == ContactKind.Phone ? contact : null,
                Status = AccountStatus.Pending, // until linked to a Patient
                Language = language,
            },
            ct);
        if (created.TryGet(out var id, out _))
        {
            await sessions.BeginAsync(context, id, ["pwd"], ct);
        }
        return created;
    }

    /// <summary>Sets the new password. Whoever was signed in is no more.</summary>
    public async Task<bool> FinishResetAsync(HttpContext context, Sealed<StoredFlow> flow, string password, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(flow);
        if (flow.Value is not { Proven: true, Kind: FlowKind.Reset, AccountId: { } accountId, Contact: { } contact } || !await flows.EndAsync(context, flow, ct))
        {
            return false;
        }
        var hash = passwords.Hash(password);
        if (await accounts.ChangeAsync(accountId, account => (account.PasswordHash = hash) is not null, ct) is not { } changed)
        {
            return false;
        }
        await lockOut.ForgiveAsync(SendLimit(contact), ct);
        await lockOut.ForgiveAsync(changed.Account.UserName, ct);
        await sessions.EndAllAsync(accountId, except: null, ct);
        return true;
    }

    private Contact? ReachOf(Account account) => account switch
    {
        { EmailVerified: true, Email: { } email } when delivery.Has(ContactKind.Email) => new(ContactKind.Email, email),
        { PhoneVerified: true, Phone: { } phone } when delivery.Has(ContactKind.Phone) => new(ContactKind.Phone, phone),
        _ => null,
    };

    /// <summary>At most so many messages to one address as wrong passwords for one name: else we would be a means to flood people.</summary>
    private async Task SendAsync(Contact to, string? code, FlowKind kind, Texts texts, CancellationToken ct)
    {
        if (!await lockOut.TryBeginAsync(SendLimit(to.Value), ct))
        {
            return;
        }
        var minutes = ((int)options.Value.CodeLifetime.TotalMinutes).ToString(CultureInfo.InvariantCulture);
        if (code is null)
        {
            delivery.Send(to, texts["message.exists.subject"], texts["message.exists.text"]);
        }
        else
        {
            delivery.Send(to, texts["message.code.subject"], texts.Format(kind == FlowKind.Reset ? "message.reset.text" : "message.register.text", code, minutes));
        }
    }

    private static string SendLimit(string contact) => $"messages to {contact}";
}
