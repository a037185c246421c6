namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>What a load call gives instead of the repository's files.</summary>
/// <param name="Config">The configuration as JSON.</param>
/// <param name="Files">Contents by <c>VERSION/NAME</c>; when there are any, nothing of the repository's own folder is used.</param>
internal sealed record ModelOverrides(string? Config, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Files)
{
    private const int FilesLimit = 64;

    /// <summary>Writes the files to a new folder for this model alone.</summary>
    /// <exception cref="ModelLoadException">A path is anything but a version's number and a bare name.</exception>
    public ModelFolder Write(string name)
    {
        if (Files.Count > FilesLimit)
            throw new ModelLoadException($"{Files.Count} files are given; at most {FilesLimit} are taken");
        foreach (var path in Files.Keys)
            Split(path);
        var root = Directory.CreateTempSubdirectory("cairn-model-").FullName;
        try
        {
            foreach (var (path, content) in Files)
            {
                var (version, file) = Split(path);
                var folder = Directory.CreateDirectory(Path.Combine(root, version)).FullName;
                using var stream = File.Create(ModelFolder.FileIn(folder, file));
                stream.Write(content.Span);
            }
        }
        catch
        {
            Directory.Delete(root, recursive: true);
            throw;
        }

        return new(name, root, null);
    }

    private static (string Version, string File) Split(string path)
    {
        var parts = path.Split('/');
        if (parts.Length != 2 || parts[0].Length is 0 or > 18 || parts[0][0] == '0' || !parts[0].All(char.IsAsciiDigit))
            throw new ModelLoadException($"'file:{path}' is not 'file:VERSION/NAME' with a number as the version");
        ModelFolder.FileIn("", parts[1]);
        return (parts[0], parts[1]);
    }
}
