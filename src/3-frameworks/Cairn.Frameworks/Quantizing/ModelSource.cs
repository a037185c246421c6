using System.Text.Json;
using Cairn.Frameworks.Onnx;

namespace Cairn.Frameworks.Quantizing;

/// <summary>Where a model's graph is, and what lies beside it.</summary>
/// <param name="ModelPath">The graph's file.</param>
/// <param name="Folder">The model's folder; null where a single file was given.</param>
internal sealed record ModelSource(string ModelPath, string? Folder)
{
    private const long LargestConfiguration = 16 << 20;

    /// <summary>The graph's file relative to the folder, or its name.</summary>
    internal string RelativePath => Folder is null ? Path.GetFileName(ModelPath) : Path.GetRelativePath(Folder, ModelPath);

    /// <summary>
    /// Takes a file as it is; in a folder it is what genai_config.json names, onnx/model.onnx, model.onnx, or the only graph there.
    /// </summary>
    internal static ModelSource Find(string input)
    {
        if (File.Exists(input))
            return new ModelSource(Path.GetFullPath(input), null);
        if (!Directory.Exists(input))
            throw new QuantizeException($"{input}: there is no such file or folder");
        var folder = Path.GetFullPath(input);
        if (Genai(folder) is { } named)
            return new ModelSource(named, folder);
        foreach (var usual in (string[])["onnx/model.onnx", "model.onnx"])
            if (File.Exists(Path.Combine(folder, usual)))
                return new ModelSource(Path.Combine(folder, usual), folder);
        var graphs = Directory.EnumerateFiles(folder, "*.onnx")
            .Concat(Directory.Exists(Path.Combine(folder, "onnx")) ? Directory.EnumerateFiles(Path.Combine(folder, "onnx"), "*.onnx") : [])
            .Take(10).ToList();
        return graphs.Count switch
        {
            1 => new ModelSource(graphs[0], folder),
            0 => throw new QuantizeException(
                $"{input}: no .onnx file; expected model.onnx, onnx/model.onnx or one that genai_config.json names"),
            _ => throw new QuantizeException(
                $"{input}: several graphs ({string.Join(", ", graphs.Select(Path.GetFileName))}); name the file instead of the folder"),
        };
    }

    /// <summary>The longest sequence, as configuration files say it; null where none does.</summary>
    internal int? ContextLength() => Folder is null
        ? null
        : Number(Json(Folder, "genai_config.json"), "model", "context_length")
            ?? Number(Json(Folder, "config.json"), "max_position_embeddings");

    private static string? Genai(string folder)
    {
        if (Json(folder, "genai_config.json") is not { } config)
            return null;
        var name = Element(config, "model", "decoder", "filename") is { ValueKind: JsonValueKind.String } text
            ? text.GetString()! : "model.onnx";
        var path = Path.GetFullPath(name, folder);
        if (!path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal) || !File.Exists(path))
            throw new QuantizeException($"{folder}/genai_config.json: model.decoder.filename is '{name}'; expected a file in the folder");
        return path;
    }

    private static JsonElement? Json(string folder, string name)
    {
        var file = new FileInfo(Path.Combine(folder, name));
        if (!file.Exists)
            return null;
        if (file.Length > LargestConfiguration)
            throw new QuantizeException($"{file.FullName}: {file.Length} bytes; a configuration has at most {LargestConfiguration}");
        try
        {
            return JsonDocument.Parse(File.ReadAllText(file.FullName)).RootElement;
        }
        catch (JsonException error)
        {
            throw new QuantizeException($"{file.FullName}: not JSON: {error.Message}", error);
        }
    }

    private static JsonElement? Element(JsonElement? at, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
            at = at is { ValueKind: JsonValueKind.Object } parent && parent.TryGetProperty(name, out var child) ? child : null;
        return at;
    }

    private static int? Number(JsonElement? at, params ReadOnlySpan<string> path) =>
        Element(at, path) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var value) && value > 0 ? value : null;

    /// <summary>The graph's file and the files of its external data.</summary>
    internal IReadOnlyList<string> OwnFiles(Onnx.Proto.ModelProto model) =>
    [
        ModelPath,
        .. ModelTensors.Of(model).Where(ExternalData.Holds).Select(tensor => ExternalData.Locate(tensor, ModelPath).Path).Distinct(),
    ];
}
