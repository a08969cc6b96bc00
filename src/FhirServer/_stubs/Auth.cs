using FhirCore;
namespace Authorization.Access
{
    public sealed class Grant
    {
        public string ClientId => "stub";
    }
    public enum Interaction { Read, VRead, HistoryInstance, HistoryType, HistorySystem, SearchType, SearchSystem, Create, ConditionalCreate, Update, ConditionalUpdate, Patch, ConditionalPatch, Delete, ConditionalDelete, Bundle, Operation }
    public static class AccessDecision
    {
        public static FhirFailure? Decide(Grant grant, Interaction interaction, string? type, string? operation = null) => null;
    }
}
namespace Authorization.Tokens
{
    public static class BearerChallenge
    {
        public static string? Of(FhirFailure failure) => failure.Kind == FailureKind.Unauthenticated ? "Bearer" : null;
    }
}
namespace Authorization.Tokens
{
    using Authorization.Access;
    public sealed class TokenAuthenticator
    {
        public ValueTask<Outcome<Grant>> AuthenticateAsync(string? authorizationHeader, CancellationToken ct) => new(new Grant());
    }
}
