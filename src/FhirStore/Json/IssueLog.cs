using System.Collections.Immutable;
using System.Text;
using FhirCore;

namespace FhirStore.Json;

/// <summary>
/// Where the walk stands, and what it found. The place is a stack of names and indexes, so that a right resource costs no text;
/// expressions keep to the subset that OperationOutcome.issue.expression allows: names and indexes.
/// </summary>
internal sealed class IssueLog
{
    private const int MostIssues = 100;

    private readonly List<(string Name, int Index)> _path = new(16);
    private readonly List<Issue> _issues = [];
    private int _unreported;

    public bool IsEmpty => _issues.Count == 0;

    public void Enter(string name) => _path.Add((name, -1));

    /// <summary>Makes the place last entered its item at <paramref name="index"/>.</summary>
    public void At(int index) => _path[^1] = (_path[^1].Name, index);

    public void Leave() => _path.RemoveAt(_path.Count - 1);

    /// <param name="child">An element below the present place.</param>
    public void Add(string code, string diagnostics, string? child = null)
    {
        if (_issues.Count < MostIssues)
        {
            _issues.Add(Issue.Error(code, diagnostics, Expression(child)));
        }
        else
        {
            _unreported++;
        }
    }

    public ImmutableArray<Issue> Close()
    {
        if (_unreported > 0)
        {
            _issues.Add(Issue.Information("informational", $"{_unreported} more problems were found and are not listed."));
        }
        return [.. _issues];
    }

    private string? Expression(string? child)
    {
        if (_path.Count == 0)
        {
            return null;
        }
        var text = new StringBuilder();
        foreach (var (name, index) in _path)
        {
            Append(text, name);
            if (index >= 0)
            {
                text.Append('[').Append(index).Append(']');
            }
        }
        if (child is not null)
        {
            Append(text, child);
        }
        return text.ToString();
    }

    private static void Append(StringBuilder text, string name)
    {
        if (text.Length > 0)
        {
            text.Append('.');
        }
        text.Append(name);
    }
}
