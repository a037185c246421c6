namespace Cairn.Frameworks.Tests.Training;

/// <summary>Where the tree that these tests were built from lies.</summary>
internal static class SourceTree
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Cairn.slnx")))
        {
            folder = Path.GetDirectoryName(folder)
                ?? throw new InvalidOperationException($"No Cairn.slnx above {AppContext.BaseDirectory}.");
        }

        return folder;
    }
}
