namespace Cairn.Fleet.Catalog;

internal static class EmbeddedFile
{
    /// <summary>Opens a data file that the project embeds under its bare name.</summary>
    public static Stream Open(string name) => typeof(EmbeddedFile).Assembly.GetManifestResourceStream(name)
        ?? throw new InvalidOperationException($"{name} is not embedded in Cairn.Fleet.");
}
