using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Authorization.Server;

namespace Authorization.Discovery;

/// <summary>
/// The Bundle by which apps show people whose server this is, so that they find their clinic:
/// https://hl7.org/fhir/smart-app-launch/user-access-brands.html. One brand with one portal and this one endpoint.
/// </summary>
internal static class Brands
{
    public const string ContentType = "application/fhir+json";
    private const string Extensions = "http://hl7.org/fhir/StructureDefinition/";
    private const string Codes = "http://terminology.hl7.org/CodeSystem/";
    private const string OrganizationPath = "Organization/brand";
    private const string EndpointPath = "Endpoint/fhir-r4";

    /// <param name="at">When the Bundle was made.</param>
    /// <returns>UTF-8 JSON, and a tag that is the same for the same settings in every process.</returns>
    public static (byte[] Json, string ETag) Write(BrandOptions brand, PublicAddresses addresses, DateTimeOffset at)
    {
        var tag = SHA256.HashData(WriteBundle(brand, addresses, DateTimeOffset.UnixEpoch));
        return (WriteBundle(brand, addresses, at), $"W/\"{Convert.ToHexStringLower(tag.AsSpan(0, 8))}\"");
    }

    public static void WriteIdentifier(Utf8JsonWriter json, BrandOptions brand)
    {
        json.WriteString("system", "urn:ietf:rfc:3986");
        json.WriteString("value", brand.Website);
    }

    private static byte[] WriteBundle(BrandOptions brand, PublicAddresses addresses, DateTimeOffset at)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("resourceType", "Bundle");
            json.WriteString("type", "collection");
            json.WriteString("timestamp", at.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
            json.WriteStartArray("entry");
            WriteEntry(json, addresses, OrganizationPath, () => WriteOrganization(json, brand));
            WriteEntry(json, addresses, EndpointPath, () => WriteEndpoint(json, brand, addresses));
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return bytes.ToArray();
    }

    private static void WriteEntry(Utf8JsonWriter json, PublicAddresses addresses, string path, Action resource)
    {
        json.WriteStartObject();
        json.WriteString("fullUrl", $"{addresses.BrandBundle}/{path}");
        json.WriteStartObject("resource");
        resource();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteOrganization(Utf8JsonWriter json, BrandOptions brand)
    {
        json.WriteString("resourceType", "Organization");
        json.WriteString("id", OrganizationPath.Split('/')[1]);
        json.WriteStartArray("extension");
        if (brand.LogoUrl is { Length: > 0 } logo)
        {
            WriteExtension(json, "organization-brand", () => WritePart(json, "brandLogo", "valueUrl", logo));
        }
        WriteExtension(json, "organization-portal", () =>
        {
            WritePart(json, "portalName", "valueString", string.IsNullOrEmpty(brand.PortalName) ? brand.Name : brand.PortalName);
            WritePart(json, "portalUrl", "valueUrl", string.IsNullOrEmpty(brand.PortalUrl) ? brand.Website : brand.PortalUrl);
            json.WriteStartObject();
            json.WriteString("url", "portalEndpoint");
            WriteReference(json, "valueReference", EndpointPath);
            json.WriteEndObject();
        });
        json.WriteEndArray();
        json.WriteStartArray("identifier");
        json.WriteStartObject();
        WriteIdentifier(json, brand);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteBoolean("active", true);
        json.WriteString("name", brand.Name);
        WriteWebsite(json, "telecom", brand);
        json.WriteStartArray("endpoint");
        WriteReference(json, null, EndpointPath);
        json.WriteEndArray();
    }

    private static void WriteEndpoint(Utf8JsonWriter json, BrandOptions brand, PublicAddresses addresses)
    {
        json.WriteString("resourceType", "Endpoint");
        json.WriteString("id", EndpointPath.Split('/')[1]);
        json.WriteStartArray("extension");
        WritePart(json, Extensions + "endpoint-fhir-version", "valueCode", "4.0.1");
        json.WriteEndArray();
        json.WriteString("status", "active");
        WriteCoding(json, "connectionType", Codes + "endpoint-connection-type", "hl7-fhir-rest");
        json.WriteString("name", brand.Name);
        WriteReference(json, "managingOrganization", OrganizationPath);
        WriteWebsite(json, "contact", brand);
        json.WriteStartArray("payloadType");
        json.WriteStartObject();
        json.WriteStartArray("coding");
        WriteCoding(json, null, Codes + "endpoint-payload-type", "none");
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteString("address", addresses.FhirBase);
    }

    private static void WriteWebsite(Utf8JsonWriter json, string name, BrandOptions brand)
    {
        json.WriteStartArray(name);
        json.WriteStartObject();
        json.WriteString("system", "url");
        json.WriteString("value", brand.Website);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteExtension(Utf8JsonWriter json, string name, Action parts)
    {
        json.WriteStartObject();
        json.WriteStartArray("extension");
        parts();
        json.WriteEndArray();
        json.WriteString("url", Extensions + name);
        json.WriteEndObject();
    }

    private static void WritePart(Utf8JsonWriter json, string url, string type, string value)
    {
        json.WriteStartObject();
        json.WriteString("url", url);
        json.WriteString(type, value);
        json.WriteEndObject();
    }

    private static void WriteReference(Utf8JsonWriter json, string? name, string reference)
    {
        Begin(json, name);
        json.WriteString("reference", reference);
        json.WriteEndObject();
    }

    private static void WriteCoding(Utf8JsonWriter json, string? name, string system, string code)
    {
        Begin(json, name);
        json.WriteString("system", system);
        json.WriteString("code", code);
        json.WriteEndObject();
    }

    private static void Begin(Utf8JsonWriter json, string? name)
    {
        if (name is null)
        {
            json.WriteStartObject();
        }
        else
        {
            json.WriteStartObject(name);
        }
    }
}
