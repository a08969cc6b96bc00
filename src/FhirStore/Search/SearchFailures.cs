using FhirCore;

namespace FhirStore.Search;

/// <summary>The refusals of a search, each told to the developer of the client.</summary>
internal static class SearchFailures
{
    public static FhirFailure BadValue(string parameter, string wanted) =>
        FhirFailure.Of(FailureKind.Invalid, $"The value of search parameter '{parameter}' cannot be read. Expected: {wanted}.", code: "value");

    public static FhirFailure NotYet(string what) =>
        FhirFailure.Of(FailureKind.Invalid, $"{what} is not supported yet.", code: "not-supported");

    public static FhirFailure Invalid(string diagnostics) => FhirFailure.Of(FailureKind.Invalid, diagnostics, code: "invalid");

    public static FhirFailure Unknown(string type, string name) =>
        FhirFailure.Of(FailureKind.Invalid, $"{type} has no search parameter '{name}'.", code: "not-supported");

    public static FhirFailure TooCostly(string diagnostics) => FhirFailure.Of(FailureKind.Invalid, diagnostics, code: "too-costly");
}
