using System.Collections.Immutable;
using FhirCore.Records;
using FhirStore.Encryption;

namespace FhirStore.Indexing;

/// <summary>
/// Which entries the resources of one type get. Parameters that look at the same elements, or at parts of them, share the
/// entries of the widest one (Patient.name serves family and given): rows are what a write costs.
/// </summary>
internal sealed class TypeIndex
{
    private readonly Dictionary<SearchParameter, ParameterEntries> _byParameter = [];

    public TypeIndex(TypeParameters parameters, IndexTokens tokens, OperationalFields operational, string? baseUrl)
    {
        Parameters = parameters;
        var indexed = parameters.All.Where(IsIndexed).ToArray();
        var hosts = new Dictionary<SearchParameter, ParameterIndex>();
        foreach (var parameter in indexed)
        {
            var host = HostOf(parameter, indexed);
            if (!hosts.TryGetValue(host, out var index))
            {
                index = Create(host, tokens, operational, baseUrl);
                hosts.Add(host, index);
            }
            _byParameter.Add(parameter, new(index, host == parameter || IsSame(host, parameter)));
        }
        Own = [.. hosts.Where(h => h.Key.Name != "_lastUpdated").OrderBy(h => h.Key.Name, StringComparer.Ordinal).Select(h => (h.Key, h.Value))];
    }

    public TypeParameters Parameters { get; }

    /// <summary>The parameters whose elements become entries.</summary>
    public ImmutableArray<(SearchParameter Parameter, ParameterIndex Index)> Own { get; }

    /// <returns>Null where the index says nothing about the parameter.</returns>
    public ParameterEntries? Find(SearchParameter parameter) => _byParameter.GetValueOrDefault(parameter);

    private static bool IsIndexed(SearchParameter parameter) =>
        parameter is { Kind: not (SearchKind.Composite or SearchKind.Special), IsPresenceFlag: false, Paths.IsEmpty: false }
        && parameter.Name is not ("_id" or "gender")
        && !parameter.Paths.All(p => p.Shape == ElementShape.Boolean || (p.HasFixedCodes && p.Steps.Count > 1));

    // A parameter that covers more others is the better host; of equal ones the first by name, so that all agree.
    private static SearchParameter HostOf(SearchParameter parameter, SearchParameter[] all) => all
        .Where(h => Covers(h, parameter))
        .OrderByDescending(h => all.Count(p => Covers(h, p)))
        .ThenBy(h => h.Name, StringComparer.Ordinal)
        .First();

    private static bool Covers(SearchParameter host, SearchParameter parameter) =>
        host == parameter
        || (host.Kind == parameter.Kind && IsBucket(host) == IsBucket(parameter) && !parameter.Paths.Any(p => !host.Paths.Any(h => Covers(h, p))));

    private static bool Covers(ElementPath host, ElementPath path) =>
        !host.HasFilter
        && ((host.UnfilteredText == path.UnfilteredText && host.Shape == path.Shape)
            || (host.Shape is ElementShape.HumanName or ElementShape.Address && path.Shape == ElementShape.Text
                && path.UnfilteredText.StartsWith(host.UnfilteredText + ".", StringComparison.Ordinal)));

    // A filter on the type of a reference does not count here: whoever asks for a reference knows its type.
    private static bool IsSame(SearchParameter host, SearchParameter parameter) =>
        host.Paths.Length == parameter.Paths.Length
        && parameter.Paths.All(p => p.Steps.All(s => s.WherePart is null && s.Index < 0) && host.Paths.Any(h => h.UnfilteredText == p.UnfilteredText && h.Shape == p.Shape));

    private static bool IsBucket(SearchParameter parameter) => parameter.Kind == SearchKind.Token && parameter.Paths.All(p => p.HasFixedCodes);

    private static ParameterIndex Create(SearchParameter parameter, IndexTokens tokens, OperationalFields operational, string? baseUrl)
    {
        var (type, name) = (parameter.ResourceType, parameter.Name);
        return (type, name) switch
        {
            (_, "_lastUpdated") => new ClearInstantIndex(IndexField.LastUpdated),
            ("Slot", "start") => new ClearInstantIndex(OperationalEntries.SlotStart),
            ("Slot", "status") => new ClearCodeIndex(type, name, OperationalFields.SlotStatusByte),
            ("Slot", "schedule") => new SlotScheduleIndex(operational),
            ("Appointment", "date") => new ClearInstantIndex(OperationalEntries.AppointmentStart),
            ("Appointment", "status") => new ClearCodeIndex(type, name, OperationalEntries.AppointmentStatusByte),
            ("Schedule", "date") => new ClearPeriodIndex(type, name),
            _ => parameter.Kind switch
            {
                SearchKind.Token when IsBucket(parameter) => new CodeBucketIndex(type, name, tokens),
                SearchKind.Token => new TokenIndex(type, name, tokens),
                SearchKind.String => new StringIndex(type, name, tokens, parameter.Paths.Any(p => p.Shape == ElementShape.Address) ? StringIndex.Addresses : StringIndex.Names),
                SearchKind.Reference => new ReferenceIndex(type, name, tokens, baseUrl),
                SearchKind.Date => new DateIndex(type, name, tokens),
                SearchKind.Uri => new UriIndex(type, name, tokens),
                SearchKind.Number or SearchKind.Quantity => new NumberIndex(type, name, tokens),
                _ => throw new ArgumentOutOfRangeException(nameof(parameter), parameter.Kind, "This kind has no index."),
            },
        };
    }
}

/// <param name="Exact">The entries are of this parameter's elements and of no others.</param>
internal sealed record ParameterEntries(ParameterIndex Index, bool Exact);
