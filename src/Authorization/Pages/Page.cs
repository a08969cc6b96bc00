using Microsoft.AspNetCore.Components;

namespace Authorization.Pages;

/// <summary>What every page has. Pages are rendered once, on the server, to plain HTML.</summary>
public abstract class Page : ComponentBase
{
    [Parameter, EditorRequired]
    public Visit Visit { get; set; } = null!;

    protected string T(string key) => Visit.Texts[key];

    protected string T(string key, params object?[] values) => Visit.Texts.Format(key, values);

    protected string? FaultOf(FormFaults faults, string field) => faults.Of(field) is { } key ? T(key) : null;

    /// <summary>Instants in UTC: the server does not know where the reader is.</summary>
    protected static string Time(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", System.Globalization.CultureInfo.InvariantCulture);
}
