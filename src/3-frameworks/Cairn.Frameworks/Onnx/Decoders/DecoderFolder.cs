using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cairn.Frameworks.Onnx.Decoders;

/// <summary>
/// Writes a whole model folder: graph, configuration, tokenizer and chat template. Tests and benchmarks make their models with it: the
/// weights are random unless given.
/// </summary>
internal static class DecoderFolder
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Writes into <paramref name="folder"/>, made if need be.</summary>
    /// <returns>The path of the model's file.</returns>
    internal static string Write(
        string folder, DecoderShape shape, DecoderLayout layout = DecoderLayout.Genai,
            DecoderPrecision precision = DecoderPrecision.Float32,
        DecoderWeights? weights = null)
    {
        var model = ModelPath(folder, layout);
        Directory.CreateDirectory(Path.GetDirectoryName(model)!);
        DecoderGraph.Write(model, shape, layout, precision, weights ?? RandomWeights.Seeded(1));
        Save(folder, "tokenizer.json", ByteTokenizer.Json(shape.Vocabulary));
        Save(folder, "tokenizer_config.json", ByteTokenizer.ConfigJson(shape.Context));
        File.WriteAllText(Path.Combine(folder, "chat_template.jinja"), ByteTokenizer.ChatTemplate);
        if (layout == DecoderLayout.Genai)
            Save(folder, "genai_config.json", GenaiConfig(shape));
        else
        {
            Save(folder, "config.json", HuggingFaceConfig(shape, precision));
            Save(folder, "generation_config.json",
                new JsonObject { ["bos_token_id"] = ByteTokenizer.Begin, ["eos_token_id"] = ByteTokenizer.End });
        }
        return model;
    }

    internal static string ModelPath(string folder, DecoderLayout layout) =>
        layout == DecoderLayout.Genai ? Path.Combine(folder, "model.onnx") : Path.Combine(folder, "onnx", "model.onnx");

    private static void Save(string folder, string name, JsonNode content) =>
        File.WriteAllText(Path.Combine(folder, name), content.ToJsonString(Indented));

    private static JsonObject GenaiConfig(DecoderShape shape) => new()
    {
        ["model"] = new JsonObject
        {
            ["type"] = "llama",
            ["bos_token_id"] = ByteTokenizer.Begin,
            ["eos_token_id"] = ByteTokenizer.End,
            ["pad_token_id"] = ByteTokenizer.End,
            ["context_length"] = shape.Context,
            ["vocab_size"] = shape.Vocabulary,
            ["decoder"] = new JsonObject
            {
                ["filename"] = "model.onnx",
                ["head_size"] = shape.HeadSize,
                ["hidden_size"] = shape.Hidden,
                ["num_attention_heads"] = shape.Heads,
                ["num_hidden_layers"] = shape.Layers,
                ["num_key_value_heads"] = shape.KeyValueHeads,
                ["inputs"] = new JsonObject
                {
                    ["input_ids"] = "input_ids",
                    ["attention_mask"] = "attention_mask",
                    ["past_key_names"] = "past_key_values.%d.key",
                    ["past_value_names"] = "past_key_values.%d.value",
                },
                ["outputs"] = new JsonObject
                {
                    ["logits"] = "logits", ["present_key_names"] = "present.%d.key", ["present_value_names"] = "present.%d.value",
                },
                ["session_options"] = new JsonObject { ["log_id"] = "onnxruntime-genai", ["provider_options"] = new JsonArray() },
            },
        },
        ["search"] = new JsonObject
        {
            ["do_sample"] = false, ["max_length"] = shape.Context, ["min_length"] = 0, ["num_beams"] = 1, ["num_return_sequences"] = 1,
            ["past_present_share_buffer"] = true, ["repetition_penalty"] = 1.0, ["temperature"] = 1.0, ["top_k"] = 50, ["top_p"] = 1.0,
        },
    };

    private static JsonObject HuggingFaceConfig(DecoderShape shape, DecoderPrecision precision) => new()
    {
        ["architectures"] = new JsonArray("LlamaForCausalLM"),
        ["model_type"] = "llama",
        ["bos_token_id"] = ByteTokenizer.Begin,
        ["eos_token_id"] = ByteTokenizer.End,
        ["head_dim"] = shape.HeadSize,
        ["hidden_act"] = "silu",
        ["hidden_size"] = shape.Hidden,
        ["intermediate_size"] = shape.Intermediate,
        ["max_position_embeddings"] = shape.Context,
        ["num_attention_heads"] = shape.Heads,
        ["num_hidden_layers"] = shape.Layers,
        ["num_key_value_heads"] = shape.KeyValueHeads,
        ["rms_norm_eps"] = shape.NormEpsilon,
        ["rope_theta"] = shape.RopeTheta,
        ["tie_word_embeddings"] = shape.TiedEmbeddings,
        ["vocab_size"] = shape.Vocabulary,
        ["transformers.js_config"] = new JsonObject { ["kv_cache_dtype"] = precision == DecoderPrecision.Float16 ? "float16" : "float32" },
    };
}
