using System.Globalization;
using System.Text.Json;
using Cairn.Frameworks.Engine.OpenInference.Wire;

namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>Where a model lies: a Triton-like folder of versions, or one bare file.</summary>
/// <param name="Folder">Has config.pbtxt, labels and warm-up data.</param>
/// <param name="BareFile">Set where the model is one ONNX file, which is then version 1.</param>
internal sealed record ModelFolder(string Name, string Folder, string? BareFile)
{
    private const int ModelsLimit = 10_000;

    /// <summary>Every model of the repositories, by name; the first repository that has a name wins.</summary>
    public static SortedDictionary<string, ModelFolder> Discover(IEnumerable<string> repositories)
    {
        var models = new SortedDictionary<string, ModelFolder>(StringComparer.Ordinal);
        foreach (var path in repositories)
        {
            if (File.Exists(path) && path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase))
            {
                var name = Path.GetFileNameWithoutExtension(path);
                models.TryAdd(name, new(name, Path.GetDirectoryName(Path.GetFullPath(path))!, Path.GetFullPath(path)));
            }
            else if (Of(path) is { } itself)
                models.TryAdd(itself.Name, itself);
            else if (Directory.Exists(path))
                foreach (var entry in Directory.EnumerateFileSystemEntries(path).Take(ModelsLimit))
                    if (Of(entry) is { } model)
                        models.TryAdd(model.Name, model);
        }

        return models;
    }

    /// <summary>The model at a path of a repository, or null where there is none.</summary>
    public static ModelFolder? Of(string path)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var name = Path.GetFileName(full);
        if (name.StartsWith('.'))
            return null;
        if (!Directory.Exists(full))
            return File.Exists(full) && full.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase)
                ? new(Path.GetFileNameWithoutExtension(full), Path.GetDirectoryName(full)!, full)
                : null;
        var bare = Path.Combine(full, "model.onnx");
        if (File.Exists(bare))
            return new(name, full, bare);
        return File.Exists(Path.Combine(full, "config.pbtxt")) || AllVersions(full).Count > 0 ? new(name, full, null) : null;
    }

    /// <summary>What is written in config.pbtxt, if there is one.</summary>
    public WrittenConfig ReadConfig()
    {
        var file = Path.Combine(Folder, "config.pbtxt");
        if (!File.Exists(file) || (BareFile is not null && Path.GetFileName(BareFile) != "model.onnx"))
            return WrittenConfig.None;
        if (new FileInfo(file).Length > ModelConfigText.BytesLimit)
            throw new ModelLoadException($"{file} is larger than {ModelConfigText.BytesLimit} bytes");
        var text = File.ReadAllText(file);
        // The text format cannot tell a 0 that was written from one that was left out.
        var says = text.Split('\n').Any(line => line.TrimStart().StartsWith("max_batch_size", StringComparison.Ordinal));
        return new(ModelConfigText.Parse(text, file), says);
    }

    /// <summary>A configuration that comes with a load instead of the file's.</summary>
    public static WrittenConfig ParseOverride(string json)
    {
        if (json.Length > ModelConfigText.BytesLimit)
            throw new ModelLoadException($"the configuration given with the load is longer than {ModelConfigText.BytesLimit} characters");
        var config = ModelConfigJson.Parse(json);
        using var document = JsonDocument.Parse(json);
        return new(config, document.RootElement.TryGetProperty("max_batch_size", out _)
            || document.RootElement.TryGetProperty("maxBatchSize", out _));
    }

    /// <summary>The versions that the policy serves, with their files, ascending.</summary>
    /// <exception cref="ModelLoadException">There is none, or the policy asks for one that is not there.</exception>
    public IReadOnlyList<(long Version, string File)> Versions(ModelConfig config)
    {
        if (BareFile is not null)
            return [(1, BareFile)];
        var all = AllVersions(Folder);
        var policy = config.VersionPolicy;
        var chosen = policy?.PolicyChoiceCase switch
        {
            ModelVersionPolicy.PolicyChoiceOneofCase.All => all,
            ModelVersionPolicy.PolicyChoiceOneofCase.Specific => [.. policy.Specific.Versions.Distinct().Order()],
            _ => [.. all.TakeLast((int)Math.Max(policy?.Latest?.NumVersions ?? 1, 1))],
        };
        if (chosen.Count == 0)
            throw new ModelLoadException($"{Folder} has no version: a folder named by a number with a model in it is expected");
        return [.. chosen.Select(version => all.Contains(version)
            ? (version, ModelFile(version, config.DefaultModelFilename))
            : throw new ModelLoadException($"{Folder} has no version {version}, which version_policy asks for"))];
    }

    /// <summary>A file of a folder by its bare name; anything that would lead elsewhere is refused.</summary>
    public static string FileIn(string folder, string name) =>
        name.Length > 0 && name == Path.GetFileName(name) && name is not ("." or "..") && !name.Contains('\0', StringComparison.Ordinal)
            ? Path.Combine(folder, name)
            : throw new ModelLoadException($"'{name}' is not the bare name of a file");

    private string ModelFile(long version, string named)
    {
        var folder = Path.Combine(Folder, version.ToString(CultureInfo.InvariantCulture));
        if (named.Length > 0)
            return FileIn(folder, named);
        var usual = Path.Combine(folder, "model.onnx");
        if (File.Exists(usual))
            return usual;
        var files = Directory.EnumerateFiles(folder, "*.onnx").Take(2).ToList();
        return files.Count == 1
            ? files[0]
            : throw new ModelLoadException(
                $"{folder} has no model.onnx and not exactly one other ONNX file; name it by default_model_filename");
    }

    private static List<long> AllVersions(string folder) =>
        [.. Directory.EnumerateDirectories(folder)
            .Select(path => Path.GetFileName(path)!)
            .Where(name => name.Length is > 0 and < 19 && name.All(char.IsAsciiDigit) && name[0] != '0')
            .Select(name => long.Parse(name, CultureInfo.InvariantCulture))
            .Order()];
}
