using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cairn.Frameworks.Quantizing;

/// <summary>
/// An output that appears whole or not at all: it is written to a folder of its own beside the place, and moved there at the end. Whatever
/// goes wrong before that, a full disk included, leaves only what was there.
/// </summary>
internal sealed class QuantizedFiles : IDisposable
{
    private static readonly EnumerationOptions Everything =
        new() { RecurseSubdirectories = true, AttributesToSkip = 0, MaxRecursionDepth = 16 };

    private readonly string _output;
    private readonly ModelSource _source;
    private readonly string _folder;

    internal QuantizedFiles(string output, ModelSource source, bool replace)
    {
        (_output, _source) = (Path.TrimEndingDirectorySeparator(Path.GetFullPath(output)), source);
        if (_output == Path.TrimEndingDirectorySeparator(source.Folder ?? source.ModelPath))
            throw new QuantizeException($"{output}: input and output are the same place; give another output");
        if (source.Folder is { } folder && _output.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw new QuantizeException($"{output}: inside the input's folder; give a place outside it");
        if (!replace && (Path.Exists(_output) || (source.Folder is null && Path.Exists(_output + ".data"))))
            throw new QuantizeException($"{output}: there is something already; give another place, or --force to replace it");
        if (source.Folder is null ? Directory.Exists(_output) : File.Exists(_output))
            throw new QuantizeException($"{output}: a {(source.Folder is null ? "file" : "folder")} is expected, as the input is one");
        var parent = Path.GetDirectoryName(_output)!;
        Directory.CreateDirectory(parent);
        _folder = Path.Combine(parent, $".{Path.GetFileName(_output)}.{Path.GetRandomFileName()}");
        Directory.CreateDirectory(Path.GetDirectoryName(ModelPath)!);
    }

    /// <summary>Where to write the graph.</summary>
    internal string ModelPath => Path.Combine(_folder, _source.Folder is null ? Path.GetFileName(_output) : _source.RelativePath);

    /// <summary>Copies what else is in the input's folder.</summary>
    internal void CopyOthers(IReadOnlyCollection<string> own, CancellationToken cancellationToken)
    {
        if (_source.Folder is not { } folder)
            return;
        foreach (var file in Directory.EnumerateFiles(folder, "*", Everything).Where(file => !own.Contains(file)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var copy = Path.Combine(_folder, Path.GetRelativePath(folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            if (Path.Exists(copy))
                throw new QuantizeException($"{file}: the quantised model has a file of this name; move it away");
            File.Copy(file, copy);
        }
    }

    /// <summary>config.json tells transformers.js the type of the cache.</summary>
    internal void DeclareHalfCache()
    {
        var path = Path.Combine(_folder, "config.json");
        if (!File.Exists(path) || JsonNode.Parse(File.ReadAllText(path)) is not JsonObject config
            || config["transformers.js_config"] is not JsonObject settings || settings["kv_cache_dtype"] is null)
            return;
        settings["kv_cache_dtype"] = "float16";
        File.WriteAllText(path, config.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
    }

    /// <summary>Moves what was written to its place.</summary>
    internal void Publish()
    {
        if (_source.Folder is null)
        {
            // Data first: a model without its data would be worse than data without a model.
            foreach (var file in Directory.EnumerateFiles(_folder).OrderByDescending(file => file.Length))
                File.Move(file, Path.Combine(Path.GetDirectoryName(_output)!, Path.GetFileName(file)), overwrite: true);
            return;
        }
        var old = $"{_folder}.old";
        if (Directory.Exists(_output))
            Directory.Move(_output, old);
        Directory.Move(_folder, _output);
        if (Directory.Exists(old))
            Directory.Delete(old, recursive: true);
    }

    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }
}
