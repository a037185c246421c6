using System.Text.Json;

namespace Cairn.Frameworks.Engine.Decoding;

/// <summary>
/// What a model's folder says of its decoder, in either layout: onnxruntime-genai's <c>genai_config.json</c>, or onnx-community's
/// <c>config.json</c>, <c>generation_config.json</c> and <c>onnx/</c>.
/// </summary>
internal sealed record ModelFolder
{
    private const int LargestConfig = 4 << 20;

    /// <summary>Where a folder has several, the first of these that it has: what is exact, then what a CPU runs fastest.</summary>
    private static readonly string[] s_variants = ["", "_q4", "_int8", "_quantized", "_q4f16", "_fp16", "_uint8", "_bnb4"];

    public required string Model { get; init; }
    public required IReadOnlyList<int> EndTokens { get; init; }

    /// <summary>Null where the folder does not say.</summary>
    public int? ContextLength { get; init; }
    public int? KeyValueHeads { get; init; }
    public int? HeadSize { get; init; }

    /// <summary>Whether the folder says that keys and values are updated in place.</summary>
    public bool SharesBuffer { get; init; }

    /// <exception cref="ModelLoadException">A file is missing or malformed.</exception>
    public static ModelFolder Read(string folder, string? variant)
    {
        if (!Directory.Exists(folder))
            throw new ModelLoadException($"{folder}: there is no such folder; expected the folder of a model");
        var genai = Path.Combine(folder, "genai_config.json");
        return File.Exists(genai) ? FromGenai(folder, genai, variant) : FromCommunity(folder, variant);
    }

    private static ModelFolder FromGenai(string folder, string path, string? variant)
    {
        using var document = Parse(path);
        var model = Member(document.RootElement, "model")
            ?? throw new ModelLoadException($"{path}: has no 'model'; expected what onnxruntime-genai's model builder writes");
        var decoder = Member(model, "decoder")
            ?? throw new ModelLoadException($"{path}: has no 'model.decoder'; only decoder language models are served so");
        var file = Member(decoder, "filename") is { ValueKind: JsonValueKind.String } name ? name.GetString()! : "model.onnx";
        return new ModelFolder
        {
            Model = variant is null ? Inside(folder, file, path) : Variant(folder, variant),
            EndTokens = Ids(model, "eos_token_id"),
            ContextLength = Number(model, "context_length"),
            KeyValueHeads = Number(decoder, "num_key_value_heads"),
            HeadSize = Number(decoder, "head_size"),
            SharesBuffer = Member(document.RootElement, "search") is { } search
                && Member(search, "past_present_share_buffer") is { ValueKind: JsonValueKind.True },
        };
    }

    private static ModelFolder FromCommunity(string folder, string? variant)
    {
        var path = Path.Combine(folder, "config.json");
        if (!File.Exists(path))
            throw new ModelLoadException($"{folder}: has neither genai_config.json nor config.json; "
                + "expected a model in onnxruntime-genai's or onnx-community's layout");
        using var document = Parse(path);
        var config = Member(document.RootElement, "text_config") ?? document.RootElement;
        var ends = EndTokensOf(folder);
        var heads = Number(config, "num_attention_heads") ?? Number(config, "n_head");
        var hidden = Number(config, "hidden_size") ?? Number(config, "n_embd");
        return new ModelFolder
        {
            Model = Variant(folder, variant),
            EndTokens = ends.Count > 0 ? ends : Ids(config, "eos_token_id"),
            ContextLength = Number(config, "max_position_embeddings") ?? Number(config, "n_positions"),
            KeyValueHeads = Number(config, "num_key_value_heads") ?? heads,
            HeadSize = Number(config, "head_dim") ?? (hidden is { } wide && heads is > 0 and { } many ? wide / many : null),
        };
    }

    private static List<int> EndTokensOf(string folder)
    {
        var path = Path.Combine(folder, "generation_config.json");
        if (!File.Exists(path))
            return [];
        using var document = Parse(path);
        return Ids(document.RootElement, "eos_token_id");
    }

    private static string Variant(string folder, string? variant)
    {
        var onnx = Path.Combine(folder, "onnx");
        if (!Directory.Exists(onnx))
            onnx = folder;
        string[] wanted = variant is null ? s_variants : [variant.Length == 0 || variant[0] == '_' ? variant : $"_{variant}"];
        if (variant is not null && variant.AsSpan().ContainsAny('/', '\\', '\0'))
            throw new ModelLoadException($"variant '{variant}': expected a file's suffix such as q4 or fp16, without a path");
        foreach (var suffix in wanted)
            if (Path.Combine(onnx, $"model{suffix}.onnx") is var path && File.Exists(path))
                return path;
        throw new ModelLoadException(
            $"{onnx}: has no {(variant is null ? "model.onnx nor a variant of it" : $"model{wanted[0]}.onnx")}; it has: {Listed(onnx)}");
    }

    private static string Listed(string folder)
    {
        var files = Directory.EnumerateFiles(folder, "*.onnx").Select(Path.GetFileName).Order(StringComparer.Ordinal).Take(20).ToList();
        return files.Count == 0 ? "no .onnx file" : string.Join(", ", files);
    }

    private static string Inside(string folder, string file, string config)
    {
        var root = Path.GetFullPath(folder);
        var path = Path.GetFullPath(file, root);
        if (!path.StartsWith(root.TrimEnd('/') + '/', StringComparison.Ordinal))
            throw new ModelLoadException($"{config}: the decoder's filename '{file}' leaves the folder");
        return File.Exists(path) ? path : throw new ModelLoadException($"{path}: is missing; {config} names it as the decoder");
    }

    private static JsonDocument Parse(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            if (stream.Length > LargestConfig)
                throw new ModelLoadException($"{path}: {stream.Length} bytes; expected at most {LargestConfig}");
            var document = JsonDocument.Parse(stream);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document : throw new ModelLoadException($"{path}: is a JSON {document.RootElement.ValueKind}; expected an object");
        }
        catch (JsonException error)
        {
            throw new ModelLoadException($"{path}: is not JSON: {error.Message}", error);
        }
    }

    private static JsonElement? Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member) ? member : null;

    private static int? Number(JsonElement element, string name) =>
        Member(element, name) is { } number && Id(number) is var value and > 0 ? value : null;

    private static List<int> Ids(JsonElement element, string name) => Member(element, name) switch
    {
        { ValueKind: JsonValueKind.Number } one when Id(one) >= 0 => [Id(one)],
        { ValueKind: JsonValueKind.Array } many => [.. many.EnumerateArray().Select(Id).Where(id => id >= 0)],
        _ => [],
    };

    private static int Id(JsonElement element) =>
        element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out var value) ? value : -1;
}
