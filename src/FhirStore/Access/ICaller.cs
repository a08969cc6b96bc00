using System.Text.Json;
using FhirCore;

namespace FhirStore.Access;

/// <summary>What is done with a resource, one by one: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html.</summary>
public enum Use
{
    /// <summary>read, vread, history of an instance, being included.</summary>
    Read,
    /// <summary>Being found, counted, chained through.</summary>
    Search,
    Create,
    Update,
    Delete,
    /// <summary>Being named by what the caller writes: a patient to be booked.</summary>
    Name,
}

/// <summary>
/// Who asks, where not everything is theirs to see. Where a caller can be given, null stands for one that is not limited at all: the
/// server itself, and clients that may do everything.
/// </summary>
public interface ICaller
{
    /// <summary>Tells callers apart. What was given to one (a page link) is not taken from another.</summary>
    string Name { get; }

    Restriction Reach(Use use, string type);

    /// <summary>What the caller may not change even within reach. Asked of plain writes, not of what an operation makes of its input.</summary>
    /// <returns>Null where nothing speaks against it.</returns>
    FhirFailure? Object(ResourceKey key, JsonElement? before, JsonElement? after);
}
