using Authorization.Clients;
using Authorization.Scopes;
using Authorization.Stores;
using Authorization.Tokens;
using Authorization.Trail;
using FhirCore.Auditing;
using FhirStore.Sealed;
using Microsoft.AspNetCore;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace Authorization.Endpoints;

/// <summary>A token that was given out is on record before it leaves.</summary>
internal sealed class RecordToken(SecurityRecord trail) : IOpenIddictServerHandler<ProcessSignInContext>
{
    public async ValueTask HandleAsync(ProcessSignInContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.EndpointType != OpenIddictServerEndpointType.Token || context.Principal is not { } principal || context.IsRejected)
        {
            return;
        }
        var ct = ClientAddress.Aborted(context.Transaction);
        var subject = principal.GetClaim(Claims.Subject);
        var account = subject == context.ClientId ? null : subject;
        await trail.KeepAsync(
            new(SecurityEventKind.Token, true, context.ClientId, account, await trail.FhirUserOfAsync(account, ct), ClientAddress.IpOf(context.Transaction), context.Request.GrantType, principal.GetClaim(SmartClaims.Patient)), ct);
    }
}

/// <summary>So is every refusal: of the token, the introspection and the revocation endpoint.</summary>
internal sealed class RecordRefusal(SecurityRecord trail, SealedRecords<OAuthApplication> applications, ApplicationIndex index, IOpenIddictTokenManager tokens)
    : IOpenIddictServerHandler<ApplyTokenResponseContext>, IOpenIddictServerHandler<ApplyIntrospectionResponseContext>, IOpenIddictServerHandler<ApplyRevocationResponseContext>
{
    public ValueTask HandleAsync(ApplyTokenResponseContext context) => HandleAsync(context, SecurityEventKind.Token);

    public ValueTask HandleAsync(ApplyIntrospectionResponseContext context) => HandleAsync(context, SecurityEventKind.Token);

    public ValueTask HandleAsync(ApplyRevocationResponseContext context) => HandleAsync(context, SecurityEventKind.Revocation);

    private async ValueTask HandleAsync(BaseContext context, SecurityEventKind kind)
    {
        ArgumentNullException.ThrowIfNull(context);
        var transaction = context.Transaction;
        if (transaction.Response?.Error is not { } error)
        {
            return;
        }
        var ct = ClientAddress.Aborted(transaction);
        var account = await AccountOfAsync(transaction.Request, ct);
        await trail.KeepAsync(
            new(kind, false, await ClientOfAsync(transaction.Request?.ClientId, ct), account, await trail.FhirUserOfAsync(account, ct), ClientAddress.IpOf(transaction), error), ct);
    }

    /// <summary>Who somebody claimed to be, where there is such a client: nothing that was made up gets into the trail.</summary>
    private async ValueTask<string?> ClientOfAsync(string? clientId, CancellationToken ct) =>
        clientId is { Length: > 0 and <= ClientDefinition.LongestId } && await applications.AnyAsync(index.ClientId(clientId), ct) ? clientId : null;

    /// <summary>Whose refresh token was brought: one that was used before has been stolen from somebody.</summary>
    private async ValueTask<string?> AccountOfAsync(OpenIddictRequest? request, CancellationToken ct) =>
        request?.RefreshToken is { Length: > 0 } brought && await tokens.FindByReferenceIdAsync(brought, ct) is { } token ? await tokens.GetSubjectAsync(token, ct) : null;
}

/// <summary>What a client gives back.</summary>
internal sealed class RecordRevocation(SecurityRecord trail) : IOpenIddictServerHandler<HandleRevocationRequestContext>
{
    public async ValueTask HandleAsync(HandleRevocationRequestContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var ct = ClientAddress.Aborted(context.Transaction);
        var subject = context.GenericTokenPrincipal.GetClaim(Claims.Subject);
        var account = subject == context.Request.ClientId ? null : subject;
        await trail.KeepAsync(
            new(SecurityEventKind.Revocation, true, context.Request.ClientId, account, await trail.FhirUserOfAsync(account, ct), ClientAddress.IpOf(context.Transaction), "by-client"), ct);
    }
}
