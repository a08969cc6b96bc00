namespace FhirServer.Access;

/// <summary>Whoever a request comes from.</summary>
public sealed class Caller
{
}
