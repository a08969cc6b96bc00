using System.Text.Json.Serialization.Metadata;
using Authorization.Pages;
using Authorization.Records;
using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Sealed;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Authorization.Accounts;

/// <summary>Who is given what, for accounts and their pages.</summary>
internal static class AccountServices
{
    extension(IServiceCollection services)
    {
        public void AddAccounts(IConfiguration configuration, bool serves)
        {
            services.AddOptions<AccountOptions>().Bind(configuration.GetSection(AccountOptions.Section)).ValidateOnStart();
            services.AddSingleton<IValidateOptions<AccountOptions>, AccountOptionsValidator>();

            services.AddSingleton<AccountIndex>();
            services.AddSingleton<SessionIndex>();
            services.AddSingleton<FailedSignInIndex>();
            services.AddSealed(AccountIndex.RecordType, RecordJson.Default.Account, static provider => provider.GetRequiredService<AccountIndex>().Add);
            services.AddSealed(SessionIndex.RecordType, RecordJson.Default.StoredSession, static provider => provider.GetRequiredService<SessionIndex>().Add);
            services.AddSealed(FailedSignInIndex.RecordType, RecordJson.Default.FailedSignIns, static _ => FailedSignInIndex.Add);

            services.AddSingleton<FlowIndex>();
            services.AddSingleton<InvitationIndex>();
            services.AddSealed(FlowIndex.RecordType, RecordJson.Default.StoredFlow, static _ => FlowIndex.Add);
            services.AddSealed(InvitationIndex.RecordType, RecordJson.Default.StoredInvitation, static _ => InvitationIndex.Add);
            services.AddSealed(StoredLinkRequest.RecordType, RecordJson.Default.StoredLinkRequest, static _ => StoredLinkRequest.Add);

            services.AddSingleton<Passwords>();
            services.AddSingleton<LockOut>();
            services.AddSingleton<AccountDirectory>();
            services.AddSingleton<AccountRegistry>();
            services.AddSingleton<PasswordSignIn>();
            services.AddSingleton<PageCookies>();
            services.AddSingleton<Sessions>();
            services.AddSingleton<Flows>();
            services.AddSingleton<CodeDelivery>();
            services.AddSingleton<Registration>();
            services.AddSingleton<PatientMatch>();
            services.AddSingleton<PatientLinks>();
            services.AddSingleton<Invitations>();
            services.AddSingleton<SecondFactor>();
            services.AddSingleton<Passkeys>();
            services.AddSingleton<Erasure>();
            services.AddSingleton<AccountSweep>();
            services.AddHostedService(static provider => provider.GetRequiredService<AccountSweep>());
            if (serves)
            {
                services.AddHostedService(static provider => provider.GetRequiredService<CodeDelivery>());
                services.AddHostedService<AccountStart>();
            }
            services.AddPages();
        }

        private void AddSealed<T>(string type, JsonTypeInfo<T> json, Func<IServiceProvider, Action<T, IndexEntries.Builder>> index)
            where T : class =>
            services.AddSingleton(provider => new SealedRecords<T>(
                provider.GetRequiredService<IRecordStore>(), provider.GetRequiredService<RecordCipher>(), provider.GetRequiredService<TimeProvider>(), type, json, index(provider)));
    }
}
