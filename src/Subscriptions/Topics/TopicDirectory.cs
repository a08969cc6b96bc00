using System.Collections.Immutable;
using System.Text.Json;
using FhirCore.Records;
using FhirStore.Search;

namespace Subscriptions.Topics;

/// <summary>The topics there are: the server's own, packed into it, and those that clients have stored as <c>Basic</c>.</summary>
public sealed class TopicDirectory(TopicReader reader, SearchService search, IRecordStore records)
{
    /// <summary>Moved by every commit that writes a topic.</summary>
    internal const string Stamp = "subscription-topics";

    private const string Folder = "Topics/";
    private readonly Lazy<ImmutableArray<Topic>> _own = new(() => ReadOwn(reader));
    private volatile Snapshot? _kept;

    private sealed record Snapshot(long Stamp, TopicSet Topics);

    /// <summary>As they stand; the same instance for as long as none has changed.</summary>
    public async ValueTask<TopicSet> ReadAsync(CancellationToken ct)
    {
        var stamp = await records.StampAsync(Stamp, ct); // before the topics: what is read may be newer than the stamp, never older
        if (_kept is { } kept && kept.Stamp == stamp)
        {
            return kept.Topics;
        }
        var topics = new TopicSet(_own.Value, await ReadStoredAsync(ct));
        _kept = new(stamp, topics);
        return topics;
    }

    /// <summary>As they were when the store last answered; the server's own where it never has.</summary>
    public TopicSet Known => _kept?.Topics ?? new(_own.Value, []);

    private async ValueTask<ImmutableArray<Topic>> ReadStoredAsync(CancellationToken ct)
    {
        var found = new List<Topic>();
        string? page = null;
        do
        {
            var outcome = await search.SearchAsync(new("Basic", [TopicReader.SearchByCode], Page: page), ct);
            if (!outcome.TryGet(out var result, out var failure))
            {
                throw new InvalidOperationException($"Stored topics cannot be searched: {failure.Issues[0].Diagnostics}");
            }
            foreach (var match in result.Matches)
            {
                using var document = JsonDocument.Parse(match.Json, new() { MaxDepth = 1_000 });
                if (TopicReader.IsTopic(document.RootElement) && reader.Parse(document.RootElement).TryGet(out var topic, out _))
                {
                    found.Add(topic with { StoredAs = match.Key.Id });
                }
            }
            page = result.Next;
        }
        while (page is not null);
        return [.. found.OrderBy(topic => topic.StoredAs, StringComparer.Ordinal)];
    }

    private static ImmutableArray<Topic> ReadOwn(TopicReader reader)
    {
        var assembly = typeof(TopicDirectory).Assembly;
        var topics = ImmutableArray.CreateBuilder<Topic>();
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var file = assembly.GetManifestResourceStream(name)!;
            using var document = JsonDocument.Parse(file);
            topics.Add(reader.Parse(document.RootElement, isOwn: true).TryGet(out var topic, out var failure)
                ? topic
                : throw new InvalidOperationException($"{name}: {failure.Issues[0].Diagnostics}"));
        }
        return topics.ToImmutable();
    }
}

/// <param name="Own">Came with the server.</param>
/// <param name="Stored">By the id of their Basic. Where two have one url, the first counts.</param>
public sealed record TopicSet(ImmutableArray<Topic> Own, ImmutableArray<Topic> Stored)
{
    /// <summary>Canonical urls that Subscriptions may name.</summary>
    public IEnumerable<string> Offered => Own.Concat(Stored).Where(topic => topic.IsActive).Select(topic => topic.Url).Distinct(StringComparer.Ordinal);

    /// <param name="canonical">With or without version.</param>
    /// <returns>Null where there is none, or none in use.</returns>
    public Topic? Find(string canonical) => Own.Concat(Stored).FirstOrDefault(topic => topic.IsActive && topic.IsMeantBy(canonical));
}
