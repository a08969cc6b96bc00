using Authorization.Accounts;
using Authorization.Outside;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Authorization.Pages;

/// <summary><c>/auth/account</c>: where everything about one's own account begins.</summary>
internal sealed class AccountPages(PatientLinks links, ExternalProviders providers)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapOwnPage("account", ShowAsync);
        routes.MapPage("erased", visit => visit.TellAsync("erased", next: visit.PathOf("sign-in"), nextText: "sign-in.title"));
    }

    private async Task ShowAsync(Visit visit) => await visit.ShowAsync<AccountHome>(
        StatusCodes.Status200OK, (nameof(AccountHome.LinkAsked), visit.Who.Account.FhirUser is null && await links.HasAskedAsync(visit.Who.AccountId, visit.Aborted)),
        (nameof(AccountHome.HasProviders), providers.All.Length > 0));
}
