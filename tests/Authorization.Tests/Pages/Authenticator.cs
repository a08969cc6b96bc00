using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Authorization.Tests.Pages;

/// <summary>A passkey in software: makes one credential and answers challenges with it, https://www.w3.org/TR/webauthn-3/#sctn-authenticator-data.</summary>
internal sealed class Authenticator : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly byte[] _id = RandomNumberGenerator.GetBytes(32);

    public uint SignCount { get; set; } = 1;

    /// <summary>The finger or PIN was asked for.</summary>
    public bool VerifiesUser { get; set; } = true;

    public string Origin { get; set; } = Browser.Origin;

    public string Domain { get; set; } = new Uri(Browser.Origin).Host;

    public string UserHandle { get; set; } = "";

    public string Create(string options)
    {
        var asked = JsonNode.Parse(options)!;
        UserHandle = (string)asked["user"]!["id"]!;
        var point = _key.ExportParameters(false).Q;
        byte[] coseKey = [0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20, .. point.X!, 0x22, 0x58, 0x20, .. point.Y!]; // EC2, ES256, P-256
        byte[] data = [.. Data(attested: true), .. new byte[16], 0, (byte)_id.Length, .. _id, .. coseKey];
        byte[] attestation = [0xA3, 0x63, .. "fmt"u8, 0x64, .. "none"u8, 0x67, .. "attStmt"u8, 0xA0, 0x68, .. "authData"u8, 0x58, (byte)data.Length, .. data];
        return Credential(new()
        {
            ["clientDataJSON"] = Base64Url.EncodeToString(Client("webauthn.create", asked)),
            ["attestationObject"] = Base64Url.EncodeToString(attestation),
            ["transports"] = new JsonArray("internal"),
        });
    }

    public string Get(string options)
    {
        var data = Data(attested: false);
        var client = Client("webauthn.get", JsonNode.Parse(options)!);
        byte[] signed = [.. data, .. SHA256.HashData(client)];
        return Credential(new()
        {
            ["clientDataJSON"] = Base64Url.EncodeToString(client),
            ["authenticatorData"] = Base64Url.EncodeToString(data),
            ["signature"] = Base64Url.EncodeToString(_key.SignData(signed, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)),
            ["userHandle"] = UserHandle,
        });
    }

    public void Dispose() => _key.Dispose();

    private byte[] Data(bool attested)
    {
        var count = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(count, SignCount);
        return [.. SHA256.HashData(Encoding.UTF8.GetBytes(Domain)), (byte)(0x01 | (VerifiesUser ? 0x04 : 0) | (attested ? 0x40 : 0)), .. count];
    }

    private byte[] Client(string type, JsonNode asked) => JsonSerializer.SerializeToUtf8Bytes(new JsonObject
    {
        ["type"] = type, ["challenge"] = (string)asked["challenge"]!, ["origin"] = Origin, ["crossOrigin"] = false,
    });

    private string Credential(JsonObject response)
    {
        var id = Base64Url.EncodeToString(_id);
        return new JsonObject
        {
            ["id"] = id, ["rawId"] = id, ["type"] = "public-key", ["clientExtensionResults"] = new JsonObject(), ["authenticatorAttachment"] = "platform", ["response"] = response,
        }.ToJsonString();
    }
}
