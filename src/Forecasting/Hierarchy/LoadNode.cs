using Forecasting.Daily;

namespace Forecasting.Hierarchy;

/// <summary>A forecast and those of what it consists of: a clinic's of its locations', a location's of its services', a service's of its practitioners'. A practitioner with two services is two leaves.</summary>
/// <param name="Name">For the caller.</param>
/// <param name="Forecast">Made from this node's own series.</param>
/// <param name="Parts">All of what sums to it; empty for a leaf.</param>
public sealed record LoadNode(string Name, DailyForecast Forecast, IReadOnlyList<LoadNode> Parts)
{
    /// <summary>80 % of a normal distribution lie within so many deviations.</summary>
    private const double DeviationsAt80 = 1.2815515655446004;

    /// <summary>The same tree with sums that agree on every day. A forecast gives way by its own interval's width; widths stay as they were.</summary>
    /// <exception cref="ArgumentException">The forecasts are not of the same days.</exception>
    public LoadNode Reconciled()
    {
        var nodes = new List<LoadNode>();
        var parents = new List<int>();
        Flatten(this, -1, nodes, parents);
        if (nodes.Exists(node => !node.Forecast.Days.Select(day => day.Day).SequenceEqual(Forecast.Days.Select(day => day.Day))))
        {
            throw new ArgumentException("Only forecasts of the same days can add up.");
        }
        var days = nodes.ConvertAll(node => node.Forecast.Days.ToArray());
        for (var i = 0; i < Forecast.Days.Count; i++)
        {
            var values = TreeReconciliation.Reconcile([.. parents], [.. days.Select(of => of[i].Value)], [.. nodes.Select(node => Variance(node.Forecast, i))]);
            for (var node = 0; node < nodes.Count; node++)
            {
                days[node][i] = days[node][i] with { Value = values[node], IsOpen = days[node][i].IsOpen || values[node] > 0 };
            }
        }
        var next = 0;
        return Rebuild(this, days, ref next);
    }

    private static void Flatten(LoadNode node, int parent, List<LoadNode> nodes, List<int> parents)
    {
        var index = nodes.Count;
        nodes.Add(node);
        parents.Add(parent);
        foreach (var part in node.Parts)
        {
            Flatten(part, index, nodes, parents);
        }
    }

    private static LoadNode Rebuild(LoadNode node, List<ForecastDay[]> days, ref int next)
    {
        var own = days[next++];
        var parts = new List<LoadNode>(node.Parts.Count);
        foreach (var part in node.Parts)
        {
            parts.Add(Rebuild(part, days, ref next));
        }
        var changed = !own.SequenceEqual(node.Forecast.Days);
        return node with { Forecast = changed ? node.Forecast with { Days = own, Doubts = node.Forecast.Doubts | Doubts.Reconciled } : node.Forecast, Parts = parts };
    }

    private static double Variance(DailyForecast forecast, int index)
    {
        var day = forecast.Days[index];
        if (!day.IsOpen)
        {
            return 0;
        }
        var deviation = (forecast.Interval(index, 80).Upper - day.Value) / DeviationsAt80;
        return Math.Max(deviation * deviation, 1e-6 * (1 + day.Value)); // never certain while open
    }
}
