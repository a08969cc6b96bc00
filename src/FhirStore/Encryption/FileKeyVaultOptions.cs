namespace FhirStore.Encryption;

/// <summary>Settings <c>Keys:File:*</c>.</summary>
public sealed class FileKeyVaultOptions
{
    public const string Section = "Keys:File";

    /// <summary>The key file; empty means <c>keys/master.key</c> in the data folder.</summary>
    public string Path { get; set; } = "";

    public string ResolvePath(string dataDirectory) =>
        System.IO.Path.GetFullPath(string.IsNullOrEmpty(Path) ? System.IO.Path.Combine(dataDirectory, "keys", "master.key") : Path);
}
