namespace FhirServer.Http;

public enum ReturnPreference
{
    /// <summary>Nothing was said: the resource outside of a Bundle, nothing inside of one.</summary>
    Unset,
    Minimal,
    Representation,
    OperationOutcome,
}

/// <summary>The <c>Prefer</c> header, https://hl7.org/fhir/R4/http.html#ops. What is not understood is not honoured, as RFC 7240 has it.</summary>
/// <param name="Strict">handling=strict: what is unknown is refused rather than reported.</param>
public readonly record struct Preferences(ReturnPreference Return, bool Strict, bool RespondAsync)
{
    public static Preferences Parse(IEnumerable<string?> values)
    {
        var result = default(Preferences);
        foreach (var value in values)
        {
            foreach (var part in value.AsSpan().SplitAny(',', ';'))
            {
                var preference = value.AsSpan(part).Trim();
                result = preference switch
                {
                    "return=minimal" => result with { Return = ReturnPreference.Minimal },
                    "return=representation" => result with { Return = ReturnPreference.Representation },
                    "return=OperationOutcome" => result with { Return = ReturnPreference.OperationOutcome },
                    "handling=strict" => result with { Strict = true },
                    "respond-async" => result with { RespondAsync = true },
                    _ => result,
                };
            }
        }
        return result;
    }
}
