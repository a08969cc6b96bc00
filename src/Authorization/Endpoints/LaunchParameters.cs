using System.Text.Json;
using Authorization.Launch;
using OpenIddict.Abstractions;

namespace Authorization.Endpoints;

/// <summary>What is told of a launch beside patient and encounter: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#launch-context-arrives-with-your-access_token.</summary>
internal static class LaunchParameters
{
    public static void Write(SmartLaunch launch, Action<string, OpenIddictParameter> set)
    {
        if (!string.IsNullOrEmpty(launch.Intent))
        {
            set("intent", launch.Intent);
        }
        if (launch.NeedPatientBanner is { } banner)
        {
            set("need_patient_banner", banner);
        }
        if (launch.FhirContext is { } more)
        {
            using var document = JsonDocument.Parse(more);
            set("fhirContext", document.RootElement.Clone());
        }
    }
}
