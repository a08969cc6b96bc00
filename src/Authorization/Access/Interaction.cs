namespace Authorization.Access;

/// <summary>What a request, or one entry of a Bundle, wants to do: https://hl7.org/fhir/R4/http.html.</summary>
public enum Interaction
{
    Read,
    VRead,
    HistoryInstance,
    HistoryType,
    HistorySystem,
    SearchType,
    /// <summary>Across all types. With <c>_type</c>, ask for <see cref="SearchType"/> of each type instead.</summary>
    SearchSystem,
    Create,
    ConditionalCreate,
    Update,
    ConditionalUpdate,
    Patch,
    ConditionalPatch,
    Delete,
    ConditionalDelete,
    /// <summary>The Bundle itself: needs a token only, each of its entries is asked about on its own.</summary>
    Bundle,
    Operation,
}
