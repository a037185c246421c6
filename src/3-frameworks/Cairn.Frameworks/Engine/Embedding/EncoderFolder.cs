using System.Text.Json;

namespace Cairn.Frameworks.Engine.Embedding;

/// <summary>What a folder's model makes of text.</summary>
internal enum EncoderKind
{
    /// <summary>No encoder: a language model, as far as the folder tells.</summary>
    None,

    /// <summary>A vector per text.</summary>
    Embedder,

    /// <summary>A score per pair of texts.</summary>
    Reranker,
}

/// <summary>How the vectors of a text's tokens become the text's.</summary>
internal enum PoolingMode
{
    Mean,

    /// <summary>The first token's.</summary>
    Cls,

    /// <summary>The last token's.</summary>
    Last,
    Max,
}

/// <summary>An encoder's folder in Hugging Face's and sentence-transformers' layout.</summary>
internal sealed record EncoderFolder
{
    private const int DefaultLength = 512;

    public required string Path { get; init; }

    public required EncoderKind Kind { get; init; }

    public required string ModelFile { get; init; }

    public PoolingMode Pooling { get; init; }

    /// <summary>Whether vectors are scaled to length one.</summary>
    public bool Normalizes { get; init; }

    /// <summary>The most tokens of an input, special ones included.</summary>
    public int MaximumLength { get; init; } = DefaultLength;

    public int PadToken { get; init; }

    /// <summary>Tells from a folder's files what it holds, without loading the model.</summary>
    /// <exception cref="ModelLoadException">A configuration cannot be read, or the model's file is missing.</exception>
    public static EncoderFolder? Find(string folder)
    {
        if (File.Exists(System.IO.Path.Combine(folder, "genai_config.json")) || Json(folder, "config.json") is not { } config)
            return null;
        var kind = KindOf(folder, config);
        return kind == EncoderKind.None ? null : Read(folder, kind, config);
    }

    private static EncoderKind KindOf(string folder, JsonElement config)
    {
        var architecture = config.TryGetProperty("architectures", out var names) && names.ValueKind == JsonValueKind.Array
            && names.GetArrayLength() > 0
            ? names[0].GetString() ?? ""
            : "";
        if (architecture.EndsWith("ForSequenceClassification", StringComparison.Ordinal))
            return EncoderKind.Reranker;
        if (File.Exists(System.IO.Path.Combine(folder, "modules.json")) || Directory.Exists(System.IO.Path.Combine(folder, "1_Pooling")))
            return EncoderKind.Embedder;
        return architecture.EndsWith("Model", StringComparison.Ordinal) && !architecture.EndsWith("LMHeadModel", StringComparison.Ordinal)
            || architecture.EndsWith("ForMaskedLM", StringComparison.Ordinal)
            ? EncoderKind.Embedder
            : EncoderKind.None;
    }

    private static EncoderFolder Read(string folder, EncoderKind kind, JsonElement config)
    {
        var file = new[] { "model.onnx", "onnx/model.onnx", "model_quantized.onnx", "onnx/model_quantized.onnx", "onnx/model_fp16.onnx" }
            .Select(name => System.IO.Path.Combine(folder, name)).FirstOrDefault(File.Exists)
            ?? throw new ModelLoadException($"{folder} has no model.onnx and no onnx/model.onnx");
        return new()
        {
            Path = folder,
            Kind = kind,
            ModelFile = file,
            Pooling = PoolingOf(folder),
            Normalizes = !File.Exists(System.IO.Path.Combine(folder, "modules.json"))
                || File.ReadAllText(System.IO.Path.Combine(folder, "modules.json")).Contains("models.Normalize", StringComparison.Ordinal),
            MaximumLength = LengthOf(folder, config),
            PadToken = Number(config, "pad_token_id") ?? 0,
        };
    }

    private static PoolingMode PoolingOf(string folder)
    {
        if (Json(folder, "1_Pooling/config.json") is not { } pooling)
            return PoolingMode.Mean;
        if (Flag(pooling, "pooling_mode_cls_token"))
            return PoolingMode.Cls;
        if (Flag(pooling, "pooling_mode_lasttoken"))
            return PoolingMode.Last;
        if (Flag(pooling, "pooling_mode_max_tokens"))
            return PoolingMode.Max;
        return Flag(pooling, "pooling_mode_mean_tokens")
            ? PoolingMode.Mean
            : throw new ModelLoadException(
                $"{folder}/1_Pooling/config.json names no pooling that is known: mean, cls, last or max is expected");
    }

    /// <summary>
    /// The smallest of what the files say; RoBERTa's first positions belong to padding (its embedding begins behind pad_token_id).
    /// </summary>
    private static int LengthOf(string folder, JsonElement config)
    {
        var length = int.MaxValue;
        if (Json(folder, "sentence_bert_config.json") is { } sentence && Number(sentence, "max_seq_length") is { } sequence)
            length = sequence;
        if (Json(folder, "tokenizer_config.json") is { } tokenizer && Number(tokenizer, "model_max_length") is { } longest)
            length = Math.Min(length, longest);
        if (Number(config, "max_position_embeddings") is { } positions)
        {
            var type = config.TryGetProperty("model_type", out var name) ? name.GetString() ?? "" : "";
            var offset = type.Contains("roberta", StringComparison.Ordinal) ? (Number(config, "pad_token_id") ?? 1) + 1 : 0;
            length = Math.Min(length, positions - offset);
        }

        return length is > 0 and < int.MaxValue ? length : DefaultLength;
    }

    private static bool Flag(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    private static int? Number(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetInt32(out var number) ? number : null;

    private static JsonElement? Json(string folder, string name)
    {
        var path = System.IO.Path.Combine(folder, name);
        if (!File.Exists(path))
            return null;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.Clone()
                : throw new ModelLoadException($"{path} is no JSON object");
        }
        catch (JsonException failure)
        {
            throw new ModelLoadException($"{path} is no JSON: {failure.Message}", failure);
        }
    }
}
