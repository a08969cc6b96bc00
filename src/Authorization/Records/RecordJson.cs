using System.Text.Json;
using System.Text.Json.Serialization;
using Authorization.Accounts;
using Authorization.AppState;
using Authorization.Keys;
using Authorization.Launch;
using Authorization.Stores;

namespace Authorization.Records;

/// <summary>JSON of the records of this room, made at build time so that the start pays for no reflection.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OAuthApplication))]
[JsonSerializable(typeof(OAuthAuthorization))]
[JsonSerializable(typeof(OAuthScope))]
[JsonSerializable(typeof(OAuthToken))]
[JsonSerializable(typeof(StoredKey))]
[JsonSerializable(typeof(Account))]
[JsonSerializable(typeof(UsedOnce))]
[JsonSerializable(typeof(LaunchTicket))]
[JsonSerializable(typeof(SmartLaunch))]
[JsonSerializable(typeof(LaunchBody))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(Dictionary<string, JsonElement>))]
[JsonSerializable(typeof(StoredState))]
[JsonSerializable(typeof(StoredSession))]
[JsonSerializable(typeof(FailedSignIns))]
[JsonSerializable(typeof(StoredFlow))]
[JsonSerializable(typeof(StoredInvitation))]
[JsonSerializable(typeof(StoredLinkRequest))]
internal sealed partial class RecordJson : JsonSerializerContext;
