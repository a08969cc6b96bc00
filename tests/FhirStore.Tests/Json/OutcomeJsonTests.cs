using System.Text;
using FhirCore;
using FhirStore.Json;

namespace FhirStore.Tests.Json;

public sealed class OutcomeJsonTests
{
    [Fact]
    public void Write_AllParts() => Assert.Equal(
        """{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"conflict","details":{"coding":[{"system":"urn:fhir-server:issue","code":"slot-unavailable"}]},"diagnostics":"The slot is \"taken\" <&>.","expression":["Slot.status"]},{"severity":"warning","code":"not-supported","diagnostics":"Ignored."}]}""",
        Encoding.UTF8.GetString(OutcomeJson.Write(
        [
            Issue.Error("conflict", "The slot is \"taken\" <&>.", "Slot.status", "slot-unavailable"),
            Issue.Warning("not-supported", "Ignored."),
        ])));

    [Fact]
    public void Write_WhatItWrites_IsAnOperationOutcome()
    {
        var issues = Bodies.Parse("""{"resourceType":"Patient","gender":"x","birthDate":"x","nonsense":1}""").Failure!.Issues;
        Assert.Null(ResourceParser.Parse(OutcomeJson.Write(issues), "OperationOutcome").Failure);
        Assert.Null(ResourceParser.Parse(OutcomeJson.Write([]), "OperationOutcome").Failure);
    }
}
