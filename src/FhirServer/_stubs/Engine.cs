using FhirCore.Records;
using FhirServer.Settings;
namespace FhirServer.Hosting;
internal static class Engine
{
    public static Task<IRecordStore> OpenAsync(ServerSettings settings, TimeProvider clock, CancellationToken ct) => throw new InvalidOperationException();
}
