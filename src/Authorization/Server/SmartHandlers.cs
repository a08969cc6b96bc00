using Authorization.Endpoints;
using Authorization.Tokens;
using Microsoft.Extensions.DependencyInjection;
using OpenIddict.Server;
using OpenIddict.Server.AspNetCore;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace Authorization.Server;

/// <summary>What we add to OpenIddict's own handlers, and which of them ours take the place of.</summary>
internal static class SmartHandlers
{
    // Runs before the handlers OpenIddict brings along, whose orders begin well above int.MinValue.
    private const int First = int.MinValue + 1_000;

    extension(OpenIddictServerBuilder server)
    {
        public void AddSmart()
        {
            server.AddThrottling();
            server.AddClientProof();
            server.AddAuthorize();
            server.AddTokens();
            server.AddIntrospection();
            server.AddRecord();
        }

        private void AddRecord()
        {
            server.AddEventHandler<ApplyTokenResponseContext>(static handler => handler.UseScopedHandler<RecordRefusal>()
                .SetOrder(OpenIddictServerAspNetCoreHandlers.AttachHttpResponseCode<ApplyTokenResponseContext>.Descriptor.Order + 600));
            server.AddEventHandler<ApplyIntrospectionResponseContext>(static handler => handler.UseScopedHandler<RecordRefusal>()
                .SetOrder(OpenIddictServerAspNetCoreHandlers.AttachHttpResponseCode<ApplyIntrospectionResponseContext>.Descriptor.Order + 600));
            server.AddEventHandler<ApplyRevocationResponseContext>(static handler => handler.UseScopedHandler<RecordRefusal>()
                .SetOrder(OpenIddictServerAspNetCoreHandlers.AttachHttpResponseCode<ApplyRevocationResponseContext>.Descriptor.Order + 600));
        }

        private void AddThrottling()
        {
            server.AddEventHandler<ValidateTokenRequestContext>(static handler => handler.UseScopedHandler<NameRefreshingClient>().SetOrder(First - 1));
            server.AddEventHandler<ValidateTokenRequestContext>(static handler => handler.UseSingletonHandler<ThrottleClients>().SetOrder(First));
            server.AddEventHandler<ValidateIntrospectionRequestContext>(static handler => handler.UseSingletonHandler<ThrottleClients>().SetOrder(First));
            server.AddEventHandler<ValidateRevocationRequestContext>(static handler => handler.UseSingletonHandler<ThrottleClients>().SetOrder(First));
            server.AddEventHandler<ApplyTokenResponseContext>(static handler => handler.UseSingletonHandler<FinishResponse>().SetOrder(First));
            server.AddEventHandler<ApplyIntrospectionResponseContext>(static handler => handler.UseSingletonHandler<FinishResponse>().SetOrder(First));
            server.AddEventHandler<ApplyRevocationResponseContext>(static handler => handler.UseSingletonHandler<FinishResponse>().SetOrder(First));
            server.AddEventHandler<ApplyTokenResponseContext>(static handler => handler.UseSingletonHandler<SendTooManyRequests>()
                .SetOrder(OpenIddictServerAspNetCoreHandlers.AttachHttpResponseCode<ApplyTokenResponseContext>.Descriptor.Order + 500));
            server.AddEventHandler<ApplyIntrospectionResponseContext>(static handler => handler.UseSingletonHandler<SendTooManyRequests>()
                .SetOrder(OpenIddictServerAspNetCoreHandlers.AttachHttpResponseCode<ApplyIntrospectionResponseContext>.Descriptor.Order + 500));
            server.AddEventHandler<ApplyRevocationResponseContext>(static handler => handler.UseSingletonHandler<SendTooManyRequests>()
                .SetOrder(OpenIddictServerAspNetCoreHandlers.AttachHttpResponseCode<ApplyRevocationResponseContext>.Descriptor.Order + 500));
        }

        private void AddClientProof()
        {
            server.RemoveEventHandler(OpenIddictServerHandlers.ValidateClientAssertion.Descriptor);
            server.RemoveEventHandler(OpenIddictServerHandlers.ValidateClientAssertionWellknownClaims.Descriptor);
            server.RemoveEventHandler(OpenIddictServerHandlers.ValidateClientAssertionIssuer.Descriptor);
            server.AddEventHandler<ProcessAuthenticationContext>(static handler => handler
                .UseSingletonHandler<CheckClientAssertion>().SetOrder(OpenIddictServerHandlers.ValidateClientAssertion.Descriptor.Order));
            server.AddEventHandler<ProcessAuthenticationContext>(static handler => handler
                .UseSingletonHandler<HoldToRegistration>().SetOrder(OpenIddictServerHandlers.ValidateClientId.Descriptor.Order + 500));
        }

        private void AddTokens()
        {
            server.RemoveEventHandler(OpenIddictServerHandlers.Exchange.ValidateGrantedScopes.Descriptor); // ContinueGrant knows that a scope can be part of another
            server.AddEventHandler<ValidateTokenRequestContext>(static handler => handler.UseSingletonHandler<DropSignInScopes>().SetOrder(First + 1));
            server.AddEventHandler<HandleTokenRequestContext>(static handler => handler.UseScopedHandler<GrantScopes>());
            server.AddEventHandler<HandleTokenRequestContext>(static handler => handler.UseScopedHandler<ContinueGrant>().SetOrder(OpenIddictServerHandlers.Exchange.AttachPrincipal.Descriptor.Order + 500));
            server.AddEventHandler<ProcessSignInContext>(static handler => handler
                .UseSingletonHandler<RefreshOnline>().SetOrder(OpenIddictServerHandlers.EvaluateGeneratedTokens.Descriptor.Order + 500));
            server.AddEventHandler<ProcessSignInContext>(static handler => handler
                .UseSingletonHandler<KeepWhatWasGranted>().SetOrder(OpenIddictServerHandlers.PrepareRefreshTokenPrincipal.Descriptor.Order + 500));
            server.AddEventHandler<ProcessSignInContext>(static handler => handler
                .UseSingletonHandler<TellScopesAndContext>().SetOrder(OpenIddictServerHandlers.AttachSignInParameters.Descriptor.Order + 500));
            server.AddEventHandler<ProcessSignInContext>(static handler => handler
                .UseSingletonHandler<RecordToken>().SetOrder(OpenIddictServerHandlers.AttachSignInParameters.Descriptor.Order + 600));
            server.AddEventHandler<GenerateTokenContext>(static handler => handler
                .UseSingletonHandler<SignWithCurrentKey>().SetOrder(OpenIddictServerHandlers.Protection.AttachSecurityCredentials.Descriptor.Order + 500));
            server.AddEventHandler<ValidateTokenContext>(static handler => handler
                .UseSingletonHandler<VerifyWithAllKeys>().SetOrder(OpenIddictServerHandlers.Protection.ResolveTokenValidationParameters.Descriptor.Order + 500));
        }

        private void AddAuthorize()
        {
            server.AddEventHandler<ValidateAuthorizationRequestContext>(static handler => handler.UseSingletonHandler<RequireRedirectUri>().SetOrder(First));
            server.AddEventHandler<ApplyAuthorizationResponseContext>(static handler => handler.UseSingletonHandler<DropErrorUri>().SetOrder(First));
        }

        private void AddIntrospection()
        {
            server.RemoveEventHandler(OpenIddictServerHandlers.Introspection.ValidateAuthorizedParty.Descriptor);
            server.AddEventHandler<ValidateIntrospectionRequestContext>(static handler => handler
                .UseSingletonHandler<HoldIntrospection>().SetOrder(OpenIddictServerHandlers.Introspection.ValidateAuthorizedParty.Descriptor.Order));
            server.AddEventHandler<HandleIntrospectionRequestContext>(static handler => handler
                .UseSingletonHandler<DescribeToken>().SetOrder(OpenIddictServerHandlers.Introspection.AttachApplicationClaims.Descriptor.Order + 500));
            server.AddEventHandler<HandleRevocationRequestContext>(static handler => handler
                .UseScopedHandler<RevokeGrant>().SetOrder(OpenIddictServerHandlers.Revocation.RevokeToken.Descriptor.Order + 500));
            server.AddEventHandler<HandleRevocationRequestContext>(static handler => handler
                .UseSingletonHandler<RecordRevocation>().SetOrder(OpenIddictServerHandlers.Revocation.RevokeToken.Descriptor.Order + 600));
        }
    }
}
