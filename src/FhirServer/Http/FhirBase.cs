using Authorization.Server;
using FhirServer.Settings;
using SchedulingOperations;

namespace FhirServer.Http;

/// <summary>One way into the same data: the plain base, or a dialect's. Links in an answer stay on the base the request came by.</summary>
/// <param name="Path">Absolute path without a slash at the end, such as <c>/fhir/ihe</c>.</param>
/// <param name="Url">Absolute address without a slash at the end.</param>
/// <param name="IsAppState">Not the FHIR server's data but what SMART apps keep for themselves.</param>
public sealed record FhirBase(string Path, string Url, SchedulingDialect Dialect, bool IsAppState = false)
{
    /// <summary>Dialects first: their paths begin with the plain one.</summary>
    public static FhirBase[] All(ServerSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var url = settings.BaseUrl.AbsoluteUri.TrimEnd('/');
        var path = settings.BaseUrl.AbsolutePath.TrimEnd('/');
        var state = PublicAddresses.Of(url).AppState;
        return
        [
            new(path + "/ihe", url + "/ihe", SchedulingDialect.Ihe),
            new(path + "/isik", url + "/isik", SchedulingDialect.Isik),
            new(path, url, SchedulingDialect.Default),
            new(new Uri(state).AbsolutePath, state, SchedulingDialect.Default, IsAppState: true),
        ];
    }

    /// <summary>The one that is no dialect's.</summary>
    public static FhirBase Plain(ServerSettings settings) => All(settings).Single(static one => one is { Dialect: SchedulingDialect.Default, IsAppState: false });

    /// <returns><see langword="false"/> when the path is not below this base.</returns>
    public bool TryMatch(string path, out ReadOnlySpan<char> rest)
    {
        rest = default;
        if (!path.StartsWith(Path, StringComparison.Ordinal) || (path.Length > Path.Length && path[Path.Length] != '/'))
        {
            return false;
        }
        rest = path.AsSpan(Path.Length);
        return true;
    }
}
