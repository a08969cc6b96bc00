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
        }

        /// <summary>A page for everyone.</summary>
        /// <param name="path">Below <c>/auth/</c>, such as <c>sign-in</c>.</param>
        /// <param name="post">Called only with a form that one of our own pages has sent. Null where the page has none.</param>
        public void MapPage(string path, Func<Visit, Task> get, Func<Visit, Task>? post = null) => routes.MapBoth(path, get, post);

        /// <summary>A page for those who are signed in. Others sign in first, and come back.</summary>
        public void MapOwnPage(string path, Func<Visit, Task> get, Func<Visit, Task>? post = null) =>
            routes.MapBoth(path, visit => SignedInAsync(visit, get), post is null ? null : visit => SignedInAsync(visit, post));

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
                    await (host.IsOurForm(visit) ? post(visit) : visit.TellAsync("form-refused", StatusCodes.Status403Forbidden, visit.PathOf(path)));
                });
            }
        }
    }

    private static Task SignedInAsync(Visit visit, Func<Visit, Task> page)
    {
        if (visit.SignedIn is not null)
        {
            return page(visit);
        }
        var request = visit.Http.Request;
        var here = visit.PathOf(request.Path.Value![(PublicAddresses.LocalPath.Length + 1)..]) + (HttpMethods.IsGet(request.Method) ? request.QueryString.Value : "");
        return visit.GoToAsync($"{visit.PathOf("sign-in")}?return={Uri.EscapeDataString(here)}");
    }
}
