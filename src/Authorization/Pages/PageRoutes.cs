using Authorization.Access;
using Authorization.Accounts;
using Authorization.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Authorization.Pages;

/// <summary>Which page answers which address.</summary>
internal static class PageRoutes
{
    extension(IServiceCollection services)
    {
        public void AddPages()
        {
            services.AddSingleton<FormTokens>();
            services.AddSingleton<PageHost>();
            services.AddSingleton<SignInPages>();
            services.AddSingleton<AccountPages>();
            services.AddSingleton<AuthorizePages>();
            services.AddSingleton<AppsPages>();
            services.AddSingleton<RegistrationPages>();
            services.AddSingleton<LinkPages>();
            services.AddSingleton<InvitationPages>();
            services.AddSingleton<SecurityPages>();
            services.AddSingleton<TotpPages>();
            services.AddSingleton<PasskeyPages>();
            services.AddSingleton<StaffPages>();
            services.AddSingleton<OutsidePages>();
            services.AddSingleton<AppRequestPages>();
        }
    }

    extension(IEndpointRouteBuilder routes)
    {
        public void MapAuthorizationPages()
        {
            PageAssets.Map(routes);
            routes.ServiceProvider.GetRequiredService<SignInPages>().Map(routes);
            routes.ServiceProvider.GetRequiredService<AccountPages>().Map(routes);
            routes.ServiceProvider.GetRequiredService<AuthorizePages>().Map(routes);
            routes.ServiceProvider.GetRequiredService<AppsPages>().Map(routes);
            routes.ServiceProvider.GetRequiredService<RegistrationPages>().Map(routes);
            routes.ServiceProvider.GetRequiredService<LinkPages>().Map(routes);
            routes.ServiceProvider.GetRequiredService<InvitationPages>().Map(routes);
            routes.ServiceProvider.GetRequiredService<SecurityPages>().Map(routes);
            routes.ServiceProvider.GetRequiredService<TotpPages>().Map(routes);
            routes.ServiceProvider.GetRequiredService<PasskeyPages>().Map(routes);
            routes.ServiceProvider.GetRequiredService<StaffPages>().Map(routes);
            routes.ServiceProvider.GetRequiredService<OutsidePages>().Map(routes);
            routes.ServiceProvider.GetRequiredService<AppRequestPages>().Map(routes);
        }

        /// <summary>A page for everyone.</summary>
        /// <param name="path">Below <c>/auth/</c>, such as <c>sign-in</c>.</param>
        /// <param name="post">Called only with a form that one of our own pages has sent. Null where the page has none.</param>
        public void MapPage(string path, Func<Visit, Task> get, Func<Visit, Task>? post = null) => routes.MapBoth(path, get, post);

        /// <summary>A page for those who are signed in. Others sign in first, and come back.</summary>
        public void MapOwnPage(string path, Func<Visit, Task> get, Func<Visit, Task>? post = null) =>
            routes.MapBoth(path, visit => SignedInAsync(visit, get), post is null ? null : visit => SignedInAsync(visit, post));

        /// <summary>The same, open also to those who must add a second factor before anything else.</summary>
        public void MapSetUpPage(string path, Func<Visit, Task> get, Func<Visit, Task>? post = null) => routes.MapBoth(
            path, visit => SignedInAsync(visit, get, evenWithoutFactor: true), post is null ? null : visit => SignedInAsync(visit, post, evenWithoutFactor: true));

        /// <summary>A page for those who hold one of the roles, at whichever organization. Others are refused.</summary>
        public void MapStaffPage(string path, Role[] roles, Func<Visit, Task> get, Func<Visit, Task>? post = null) =>
            routes.MapOwnPage(path, visit => HoldingAsync(visit, roles, get), post is null ? null : visit => HoldingAsync(visit, roles, post));

        private void MapBoth(string path, Func<Visit, Task> get, Func<Visit, Task>? post)
        {
            var host = routes.ServiceProvider.GetRequiredService<PageHost>();
            var pattern = $"{PublicAddresses.LocalPath}/{path}";
            routes.MapGet(pattern, async context => await get(await host.OpenAsync(context)));
            if (post is not null)
            {
                routes.MapPost(pattern, async context =>
                {
                    var visit = await host.OpenAsync(context);
                    await (host.IsOurForm(visit) ? post(visit) : visit.TellAsync("form-refused", StatusCodes.Status403Forbidden, visit.Here));
                });
            }
        }
    }

    private static Task HoldingAsync(Visit visit, Role[] roles, Func<Visit, Task> page) =>
        visit.Who.Account is { Status: AccountStatus.Active } account && account.Roles.Exists(held => roles.Contains(held.Role))
            ? page(visit)
            : visit.TellAsync("not-allowed", StatusCodes.Status403Forbidden, visit.PathOf("account"));

    private static Task SignedInAsync(Visit visit, Func<Visit, Task> page, bool evenWithoutFactor = false)
    {
        if (visit.AnySignedIn is { } who)
        {
            return evenWithoutFactor || !who.MustAddSecondFactor ? page(visit) : visit.GoToAsync(visit.PathOf("account/totp"));
        }
        var request = visit.Http.Request;
        var here = visit.Here + (HttpMethods.IsGet(request.Method) ? request.QueryString.Value : "");
        return visit.GoToAsync($"{visit.PathOf("sign-in")}?return={Uri.EscapeDataString(here)}");
    }
}
