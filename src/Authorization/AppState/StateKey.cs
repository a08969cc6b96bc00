using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Authorization.Server;
using FhirCore;

namespace Authorization.AppState;

/// <summary>What a state is of: the one coding of the app's own, and whose it is. Neither ever changes.</summary>
/// <param name="Subject">Null for a state of the app as a whole.</param>
public sealed record StateKey(string System, string Code, ResourceKey? Subject)
{
    /// <summary>As searches and scopes write it.</summary>
    public string Token => $"{System}|{Code}";
}

/// <summary>What SMART asks of a state, https://hl7.org/fhir/smart-app-launch/app-state.html#create. The resource is structurally valid already.</summary>
public static class StateRules
{
    /// <summary>Bytes of the resource as it is sent.</summary>
    public const int LongestBody = 256 * 1024;

    /// <summary>States of one code and one subject.</summary>
    public const int MostOfOne = 20;

    /// <summary>Whose a state may be.</summary>
    private static readonly string[] Subjects = ["Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Person"];

    public static Outcome<StateKey> Read(JsonElement basic, PublicAddresses addresses)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        if (basic.TryGetProperty("meta", out var meta) && meta.TryGetProperty("versionId", out _))
        {
            return Wrong("Basic.meta.versionId is given by the server: leave it out.", "Basic.meta.versionId");
        }
        if (!basic.TryGetProperty("code", out var concept) || !concept.TryGetProperty("coding", out var codings) || codings.GetArrayLength() != 1
            || Text(codings[0], "system") is not { } system || Text(codings[0], "code") is not { } code)
        {
            return Wrong("An app state has exactly one coding, with system and code.", "Basic.code.coding");
        }
        if (Extension(basic) is { } expression)
        {
            return Wrong("The extensions of an app state have a valueString each, and nothing else.", expression);
        }
        if (!basic.TryGetProperty("subject", out var subject))
        {
            return new StateKey(system, code, null);
        }
        return TryReadSubject(Text(subject, "reference"), addresses, out var whose)
            ? new StateKey(system, code, whose)
            : Wrong($"The subject of an app state is an absolute reference to a Patient, Practitioner, PractitionerRole, RelatedPerson or Person of this server: {addresses.FhirBase}/Patient/123.", "Basic.subject.reference");
    }

    public static bool TryReadSubject([NotNullWhen(true)] string? reference, PublicAddresses addresses, out ResourceKey subject)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        subject = default;
        return reference is not null && reference.StartsWith(addresses.FhirBase + "/", StringComparison.Ordinal)
            && ResourceKey.TryParse(reference[(addresses.FhirBase.Length + 1)..], out subject) && Subjects.Contains(subject.Type, StringComparer.Ordinal);
    }

    /// <returns>Where one is of another kind; null when all are right.</returns>
    private static string? Extension(JsonElement basic)
    {
        if (basic.TryGetProperty("modifierExtension", out _))
        {
            return "Basic.modifierExtension";
        }
        if (!basic.TryGetProperty("extension", out var extensions))
        {
            return null;
        }
        var i = 0;
        foreach (var extension in extensions.EnumerateArray())
        {
            if (!extension.TryGetProperty("valueString", out _) || extension.TryGetProperty("extension", out _))
            {
                return $"Basic.extension[{i}]";
            }
            i++;
        }
        return null;
    }

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;

    private static FhirFailure Wrong(string diagnostics, string expression) => FhirFailure.Of(FailureKind.Invalid, diagnostics, expression);
}
