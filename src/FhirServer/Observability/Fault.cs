using System.Text;

namespace FhirServer.Observability;

/// <summary>An exception for the log: types and places, never its message, which may quote what a client sent.</summary>
internal static class Fault
{
    public static string Describe(Exception error)
    {
        var text = new StringBuilder();
        for (var current = error; current is not null; current = current.InnerException)
        {
            text.Append(text.Length == 0 ? "" : " caused by ").Append(current.GetType().FullName).Append(Environment.NewLine).Append(current.StackTrace);
        }
        return text.ToString();
    }
}
