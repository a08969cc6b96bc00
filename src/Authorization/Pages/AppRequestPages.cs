using System.Globalization;
using Authorization.Access;
using Authorization.SelfRegistration;
using FhirCore.Auditing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Authorization.Pages;

/// <summary><c>/auth/app-requests</c>: administrators say which apps that have registered themselves may be used.</summary>
internal sealed class AppRequestPages(AppRegistrations registrations)
{
    public void Map(IEndpointRouteBuilder routes) => routes.MapStaffPage("app-requests", [Role.Administrator], ShowAsync, DecideAsync);

    private async Task ShowAsync(Visit visit) =>
        await visit.ShowAsync<AppRequests>(StatusCodes.Status200OK, (nameof(AppRequests.All), await registrations.ListAsync(visit.Aborted)));

    private async Task DecideAsync(Visit visit)
    {
        var id = visit.Field("app");
        if (visit.Field("decision") == "approve")
        {
            var looked = long.TryParse(visit.Field("version"), NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : 0;
            if (await registrations.ApproveAsync(id, looked, visit.Aborted) is not { } approved)
            {
                await visit.TellAsync("app-requests.changed", StatusCodes.Status409Conflict, visit.PathOf("app-requests"));
                return;
            }
            await visit.KeepAsync(SecurityEventKind.ClientChange, "approved", about: approved);
        }
        else if (await registrations.RefuseAsync(id, visit.Aborted) is { } refused)
        {
            await visit.KeepAsync(SecurityEventKind.ClientChange, "refused", about: refused);
        }
        await visit.GoToAsync(visit.PathOf("app-requests"));
    }
}
