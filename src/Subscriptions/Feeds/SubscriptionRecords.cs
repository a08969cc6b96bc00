using System.Security.Cryptography;
using System.Text.Json.Serialization;
using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Sealed;

namespace Subscriptions.Feeds;

/// <summary>The records of subscriptions, sealed. None holds content of a resource: identities, versions and times only, as the change log has them in clear.</summary>
public sealed class SubscriptionRecords
{
    public const string FeedType = "_SubscriptionFeed";
    public const string BlockType = "_SubscriptionEvents";
    public const string DeliveryType = "_SubscriptionDelivery";
    public const string SubscriberType = "_Subscriber";
    public const string ResendType = "_SubscriptionResend";
    public const string BindingType = "_SocketBinding";
    public const string GoneType = "_SubscriptionGone";

    /// <summary>Moved by every commit that changes which feeds there are, or what they match.</summary>
    public const string FeedsStamp = "subscription-feeds";

    private const int FeedIdBytes = 8;
    private static readonly IndexField Shard = IndexField.Of("shard");
    private static readonly IndexField OfFeed = IndexField.Of("feed");

    public SubscriptionRecords(IRecordStore records, RecordCipher cipher, IndexTokens tokens, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        Feeds = new(records, cipher, clock, FeedType, FeedJson.Default.Feed, (feed, entries) => entries.Add(Shard, [(byte)Shards.Of(feed.Subscription)]));
        Blocks = new(records, cipher, clock, BlockType, FeedJson.Default.FeedBlock, (block, entries) => entries.Add(OfFeed, Convert.FromHexString(block.Feed)));
        Deliveries = new(records, cipher, clock, DeliveryType, FeedJson.Default.DeliveryState, (_, _) => { });
        Subscribers = new(records, cipher, clock, SubscriberType, FeedJson.Default.Subscriber, (_, _) => { });
        Resends = new(records, cipher, clock, ResendType, FeedJson.Default.Resend, (resend, entries) => entries.Add(Shard, [(byte)Shards.Of(resend.Subscription)]));
        Bindings = new(records, cipher, clock, BindingType, FeedJson.Default.SocketBinding, (binding, entries) => EndsField.Add(entries, binding.Ends));
        Gone = new(records, cipher, clock, GoneType, FeedJson.Default.GoneFeed, (_, _) => { });
        BindingKey = tokens.KeyFor($"{BindingType}/id");
    }

    /// <summary>By the id of the Subscription.</summary>
    public SealedRecords<Feed> Feeds { get; }

    /// <summary>By <see cref="BlockId"/>.</summary>
    public SealedRecords<FeedBlock> Blocks { get; }

    /// <summary>By the id of the feed.</summary>
    public SealedRecords<DeliveryState> Deliveries { get; }

    /// <summary>By the id of the Subscription.</summary>
    public SealedRecords<Subscriber> Subscribers { get; }

    public SealedRecords<Resend> Resends { get; }

    /// <summary>By <see cref="SecretId"/> of the token.</summary>
    public SealedRecords<SocketBinding> Bindings { get; }

    /// <summary>By the id of the feed.</summary>
    public SealedRecords<GoneFeed> Gone { get; }

    public IndexTokenKey BindingKey { get; }

    public static string NewFeedId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(FeedIdBytes));

    /// <summary>Blocks of a feed lie in the order of their numbers; a block is found by the number of its last event.</summary>
    public static string BlockId(string feed, long last) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{feed}.{last:D19}");

    public static Predicate BlocksOf(string feed) => new Predicate.EqualTo(OfFeed, Convert.FromHexString(feed));

    public static Predicate InShard(int shard) => new Predicate.EqualTo(Shard, new[] { (byte)shard });
}

/// <summary>Subscriptions are shared out among processes in this many parts, each of which is one process's at a time.</summary>
public static class Shards
{
    /// <summary>Never changed: records are indexed by it.</summary>
    public const int Count = 16;

    public static int Of(string subscription) => (int)(IndexField.Of(subscription).Number % Count); // a hash that is the same everywhere and for ever

    /// <summary>Moved by every commit that adds events to a feed of the shard, changes one, or asks for events to be sent again.</summary>
    public static string Stamp(int shard) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"subscription-shard-{shard}");
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Feed))]
[JsonSerializable(typeof(FeedBlock))]
[JsonSerializable(typeof(DeliveryState))]
[JsonSerializable(typeof(Subscriber))]
[JsonSerializable(typeof(Resend))]
[JsonSerializable(typeof(SocketBinding))]
[JsonSerializable(typeof(GoneFeed))]
internal sealed partial class FeedJson : JsonSerializerContext;
