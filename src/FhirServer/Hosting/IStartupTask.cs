namespace FhirServer.Hosting;

/// <summary>Something to do once the server answers requests, such as loading a demo. Tasks run one after another, in the order registered.</summary>
public interface IStartupTask
{
    Task RunAsync(CancellationToken ct);
}
