using Authorization.Access;
using Authorization.Accounts;
using Authorization.AppState;
using Authorization.Clients;
using Authorization.Consents;
using Authorization.Endpoints;
using Authorization.Keys;
using Authorization.Launch;
using Authorization.Outside;
using Authorization.Pages;
using Authorization.Records;
using Authorization.SelfRegistration;
using Authorization.Stores;
using Authorization.Tokens;
using Authorization.Trail;
using FhirCore.Auditing;
using FhirCore.Outbound;
using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Leases;
using FhirStore.Sealed;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using OpenIddict.Core;
using OpenIddict.Server;
using OpenIddict.Server.AspNetCore;

namespace Authorization.Server;

/// <summary>What the composition root calls.</summary>
public static class AuthorizationServer
{
    private const long LongestBody = 64 * 1024;

    extension(IServiceCollection services)
    {
        /// <summary>
        /// The authorization server, the client registry and the token check. Needs <see cref="IRecordStore"/>,
        /// <see cref="RecordCipher"/>, <see cref="IndexTokens"/>, <see cref="IPatientDirectory"/>, <see cref="ISecurityTrail"/> and <see cref="TimeProvider"/> among the services.
        /// </summary>
        /// <param name="serves">
        /// False in a process that answers no requests: it neither makes keys nor brings the registered clients in line with its settings,
        /// which need not name any.
        /// </param>
        /// <exception cref="InvalidOperationException"><c>Server:BaseUrl</c> is no usable address.</exception>
        public IServiceCollection AddAuthorizationServer(IConfiguration configuration, bool serves = true)
        {
            ArgumentNullException.ThrowIfNull(configuration);
            services.AddSingleton(PublicAddresses.From(configuration));
            services.AddOptions<AuthOptions>().Bind(configuration.GetSection(AuthOptions.Section)).ValidateOnStart();
            services.AddSingleton<IValidateOptions<AuthOptions>, AuthOptionsValidator>();
            services.AddSingleton<IValidateOptions<AuthOptions>>(new UnknownSettings(configuration));

            services.AddRecords();
            services.AddOneTimeValues();
            services.AddSingleton<SecurityRecord>();
            services.AddAccounts(configuration, serves);
            services.AddSingleton<ServerKeys>();
            services.AddSingleton(static provider => new OutboundGuard(
                AllowedEndpoints.TryParse(provider.GetRequiredService<IOptions<AuthOptions>>().Value.AllowedPrivateEndpoints, out var allowed, out _)
                    ? allowed : AllowedEndpoints.None)); // the options' validator has refused what cannot be read
            services.AddSingleton<ClientRegistry>();
            services.AddSingleton<ClientKeySource>();
            services.AddSingleton<ClientAssertions>();
            services.AddSingleton(static provider => new ExternalProviders(
                provider.GetRequiredService<IOptions<AuthOptions>>().Value.ExternalProviders, provider.GetRequiredService<OutboundGuard>()));
            services.AddSingleton<ProviderClient>();
            services.AddSingleton<StateIndex>();
            services.AddSingleton(static provider => new SealedRecords<StoredState>(
                provider.GetRequiredService<IRecordStore>(), provider.GetRequiredService<RecordCipher>(), provider.GetRequiredService<TimeProvider>(),
                StateIndex.RecordType, RecordJson.Default.StoredState, provider.GetRequiredService<StateIndex>().Add,
                static state => state.Key.Subject is { Type: "Patient" } patient ? patient.Id : null));
            services.AddSingleton<AppStates>();
            services.AddSingleton<StateAccess>();
            services.AddSingleton<SoftwareStatements>();
            services.AddSingleton<AppRegistrations>();
            services.AddSingleton<RegistrationEndpoint>();
            services.AddSingleton<OutsideSignIn>();
            services.AddSingleton<OutsideAccounts>();
            services.AddSingleton<OneTimeValues>();
            services.AddSingleton<ClientOrigins>();
            services.AddSingleton<Cors>();
            services.AddSingleton<PublicDocuments>();
            services.AddSingleton<Launches>();
            services.AddSingleton<LaunchEndpoint>();
            services.AddSingleton<ConsentMemory>();
            services.AddSingleton<LoginThrottle>();
            services.AddSingleton<TokenStanding>();
            services.AddSingleton<KeptGrants>();
            services.AddSingleton<OnlineAccess>();
            services.AddSingleton<TokenAuthenticator>();
            services.AddOpenIddictServer();

            if (serves)
            {
                services.AddHostedService<AuthorizationStart>();
                services.AddHostedService<KeyRotation>();
            }
            services.TryAddSingleton(static provider => new LeasedJobs(
                provider.GetRequiredService<IRecordStore>(), new(Runs: true, SoleProcess: true, LeasedJobsOptions.DefaultLeaseTime), provider.GetRequiredService<TimeProvider>()));
            services.AddSingleton<TokenSweep>();
            services.AddHostedService(static provider => provider.GetRequiredService<TokenSweep>());
            return services;
        }

        private void AddRecords()
        {
            services.AddSingleton<ApplicationIndex>();
            services.AddSingleton<AuthorizationIndex>();
            services.AddSingleton<ScopeIndex>();
            services.AddSingleton<TokenIndex>();
            services.AddSingleton(static provider => new SealedRecords<OAuthApplication>(
                provider.GetRequiredService<IRecordStore>(), provider.GetRequiredService<RecordCipher>(), provider.GetRequiredService<TimeProvider>(),
                ApplicationIndex.RecordType, RecordJson.Default.OAuthApplication, provider.GetRequiredService<ApplicationIndex>().Add));
            services.AddSingleton(static provider => new SealedRecords<OAuthAuthorization>(
                provider.GetRequiredService<IRecordStore>(), provider.GetRequiredService<RecordCipher>(), provider.GetRequiredService<TimeProvider>(),
                AuthorizationIndex.RecordType, RecordJson.Default.OAuthAuthorization, provider.GetRequiredService<AuthorizationIndex>().Add));
            services.AddSingleton(static provider => new SealedRecords<OAuthScope>(
                provider.GetRequiredService<IRecordStore>(), provider.GetRequiredService<RecordCipher>(), provider.GetRequiredService<TimeProvider>(),
                ScopeIndex.RecordType, RecordJson.Default.OAuthScope, provider.GetRequiredService<ScopeIndex>().Add));
            services.AddSingleton(static provider => new SealedRecords<OAuthToken>(
                provider.GetRequiredService<IRecordStore>(), provider.GetRequiredService<RecordCipher>(), provider.GetRequiredService<TimeProvider>(),
                TokenIndex.RecordType, RecordJson.Default.OAuthToken, provider.GetRequiredService<TokenIndex>().Add));
        }

        private void AddOneTimeValues()
        {
            services.AddSingleton(static provider => new SealedRecords<LaunchTicket>(
                provider.GetRequiredService<IRecordStore>(), provider.GetRequiredService<RecordCipher>(), provider.GetRequiredService<TimeProvider>(),
                Launches.RecordType, RecordJson.Default.LaunchTicket, Launches.Add));
            services.AddSingleton(static provider => new SealedRecords<UsedOnce>(
                provider.GetRequiredService<IRecordStore>(), provider.GetRequiredService<RecordCipher>(), provider.GetRequiredService<TimeProvider>(),
                OneTimeValues.RecordType, RecordJson.Default.UsedOnce, OneTimeValues.Add));
        }

        private void AddOpenIddictServer()
        {
            services.AddOpenIddict()
                .AddCore(static core => core
                    .SetDefaultApplicationEntity<OAuthApplication>()
                    .SetDefaultAuthorizationEntity<OAuthAuthorization>()
                    .SetDefaultScopeEntity<OAuthScope>()
                    .SetDefaultTokenEntity<OAuthToken>()
                    .ReplaceApplicationStore<OAuthApplication, ApplicationStore>(ServiceLifetime.Singleton)
                    .ReplaceAuthorizationStore<OAuthAuthorization, AuthorizationStore>(ServiceLifetime.Singleton)
                    .ReplaceScopeStore<OAuthScope, ScopeStore>(ServiceLifetime.Singleton)
                    .ReplaceTokenStore<OAuthToken, TokenStore>(ServiceLifetime.Singleton)
                    .DisableEntityCaching()) // another process may have changed the record
                .AddServer(static server =>
                {
                    server.SetAuthorizationEndpointUris("auth/authorize")
                        .SetTokenEndpointUris("auth/token")
                        .SetIntrospectionEndpointUris("auth/introspect")
                        .SetRevocationEndpointUris("auth/revoke")
                        .SetEndSessionEndpointUris("auth/end-session")
                        .SetJsonWebKeySetEndpointUris(Array.Empty<string>()) // PublicDocuments says which keys there are
                        .SetConfigurationEndpointUris(Array.Empty<string>())
                        .AllowAuthorizationCodeFlow()
                        .AllowRefreshTokenFlow()
                        .AllowClientCredentialsFlow()
                        .RequireProofKeyForCodeExchange()
                        .UseReferenceRefreshTokens()
                        .DisableAccessTokenEncryption()
                        .DisableScopeValidation() // SMART scopes are a language: SmartScopes negotiates them
                        .IgnoreScopePermissions()
                        .DisableResourceValidation() // "resource" is another name of "aud": AuthorizeRequest checks it
                        .IgnoreResourcePermissions();
                    server.AddSmart();
                    // TLS ends in front of this process.
                    server.UseAspNetCore().DisableTransportSecurityRequirement().SuppressJsonResponseIndentation()
                        .EnableAuthorizationEndpointPassthrough().EnableEndSessionEndpointPassthrough().EnableErrorPassthrough();
                });
            services.AddSingleton<OpenIddictSettings>();
            services.AddSingleton<IConfigureOptions<OpenIddictServerOptions>>(static provider => provider.GetRequiredService<OpenIddictSettings>());
            services.AddSingleton<IConfigureOptions<OpenIddictCoreOptions>>(static provider => provider.GetRequiredService<OpenIddictSettings>());
        }
    }

    extension(IApplicationBuilder app)
    {
        /// <summary>
        /// Answers <c>/auth/*</c>. To be called before anything that asks for tokens. Other requests never meet OpenIddict:
        /// their tokens are checked by <see cref="TokenAuthenticator"/>.
        /// </summary>
        public IApplicationBuilder UseAuthorizationServer()
        {
            // WebApplication would put the authentication middleware, which is OpenIddict, before every request unless it
            // sees this mark; the call below marks the branch only.
            app.Properties["__AuthenticationMiddlewareSet"] = true;
            return app.UseWhen(static context => context.Request.Path.StartsWithSegments(PublicAddresses.LocalPath, StringComparison.Ordinal), static branch =>
            {
                var cors = branch.ApplicationServices.GetRequiredService<Cors>();
                branch.Use(async (context, next) =>
                {
                    RequestToken.Set(context.RequestAborted);
                    if (await cors.HandleAsync(context))
                    {
                        return;
                    }
                    if (context.Request.ContentLength > LongestBody)
                    {
                        context.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
                        return;
                    }
                    if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
                    {
                        limit.MaxRequestBodySize = LongestBody;
                    }
                    await next(context);
                });
                branch.UseRouting();
                branch.UseAuthentication();
                branch.UseEndpoints(static routes =>
                {
                    routes.MapAuthorizationPages();
                    routes.ServiceProvider.GetRequiredService<PublicDocuments>().Map(routes);
                    routes.ServiceProvider.GetRequiredService<LaunchEndpoint>().Map(routes);
                    routes.ServiceProvider.GetRequiredService<RegistrationEndpoint>().Map(routes);
                });
            });
        }
    }
}
