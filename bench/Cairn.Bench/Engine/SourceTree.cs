namespace Cairn.Bench.Engine;

/// <summary>The tree that this program was built from.</summary>
internal static class SourceTree
{
    public static string Path(params ReadOnlySpan<string> parts)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Cairn.slnx")))
                return System.IO.Path.Combine([folder.FullName, .. parts]);
        }

        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} is Cairn's source tree.");
    }
}
