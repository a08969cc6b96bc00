using System.Text.Json.Serialization.Metadata;
using Authorization.Pages;
using Authorization.Records;
using FhirCore.Records;
using FhirStore.Encryption;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Authorization.Accounts;

/// <summary>Who is given what, for accounts and their pages.</summary>
internal static class AccountServices
{
    extension(IServiceCollection services)
    {
        public void AddAccounts(IConfiguration configuration)
        {
            services.AddOptions<AccountOptions>().Bind(configuration.GetSection(AccountOptions.Section)).ValidateOnStart();
            services.AddSingleton<IValidateOptions<AccountOptions>, AccountOptionsValidator>();

            services.AddSingleton<AccountIndex>();
            services.AddSingleton<SessionIndex>();
            services.AddSingleton<FailedSignInIndex>();
            services.AddSealed(AccountIndex.RecordType, RecordJson.Default.Account, static provider => provider.GetRequiredService<AccountIndex>().Add);
            services.AddSealed(SessionIndex.RecordType, RecordJson.Default.StoredSession, static provider => provider.GetRequiredService<SessionIndex>().Add);
            services.AddSealed(FailedSignInIndex.RecordType, RecordJson.Default.FailedSignIns, static _ => FailedSignInIndex.Add);

            services.AddSingleton<Passwords>();
            services.AddSingleton<LockOut>();
            services.AddSingleton<AccountDirectory>();
            services.AddSingleton<AccountRegistry>();
            services.AddSingleton<PasswordSignIn>();
            services.AddSingleton<PageCookies>();
            services.AddSingleton<Sessions>();
            services.AddPages();
        }

        private void AddSealed<T>(string type, JsonTypeInfo<T> json, Func<IServiceProvider, Action<T, IndexEntries.Builder>> index)
            where T : class =>
            services.AddSingleton(provider => new SealedRecords<T>(
                provider.GetRequiredService<IRecordStore>(), provider.GetRequiredService<RecordCipher>(), provider.GetRequiredService<TimeProvider>(), type, json, index(provider)));
    }
}
