namespace FhirServer.Interactions;

/// <summary>Interactions by the names of https://hl7.org/fhir/R4/valueset-type-restful-interaction.html.</summary>
public enum FhirInteraction
{
    Other,
    Read,
    VRead,
    Update,
    Patch,
    Delete,
    HistoryInstance,
    HistoryType,
    HistorySystem,
    Create,
    SearchType,
    Batch,
    Transaction,
    Operation,
    Capabilities,
}
