using Microsoft.AspNetCore.Routing;

namespace Authorization.Pages;

/// <summary><c>/auth/account</c>: what people can do with their own account.</summary>
internal sealed class AccountPages
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapOwnPage("account", visit => visit.ShowAsync<AccountHome>());
    }
}
