using Cairn.Frameworks.Gguf;
using Cairn.Frameworks.Onnx.Decoders;

namespace Cairn.Frameworks.Tests.Gguf;

public sealed class Gguf_files : IDisposable
{
    private static readonly DecoderShape s_shape = DecoderShape.Tiny;
    private static readonly DecoderWeights s_weights = RandomWeights.Seeded(3);
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-gguf-").FullName;

    private string FilePath => Path.Combine(_folder, "model.gguf");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Have_the_shape_the_vocabulary_and_every_tensor()
    {
        var file = Written(GgufType.F32);

        Assert.Equal("llama", file.Keys["general.architecture"]);
        Assert.Equal((uint)s_shape.KeyValueHeads, file.Keys["llama.attention.head_count_kv"]);
        Assert.Equal((uint)s_shape.HeadSize, file.Keys["llama.rope.dimension_count"]);
        Assert.Equal(s_shape.NormEpsilon, file.Keys["llama.attention.layer_norm_rms_epsilon"]);
        var tokens = Assert.IsType<object[]>(file.Keys["tokenizer.ggml.tokens"]);
        Assert.Equal((s_shape.Vocabulary, "A", "<|end|>"), (tokens.Length, tokens['A'], tokens[ByteTokenizer.End]));
        Assert.Equal((uint)ByteTokenizer.End, file.Keys["tokenizer.ggml.eos_token_id"]);
        Assert.Equal(3, Assert.IsType<object[]>(file.Keys["tokenizer.ggml.token_type"])[ByteTokenizer.User]);
        Assert.Equal(3 + (9 * s_shape.Layers), file.Tensors.Count);
        Assert.Equal([s_shape.Intermediate, s_shape.Hidden], file.Tensors["blk.1.ffn_down.weight"].Dimensions);
        Assert.Equal(0, file.Length % 32);
    }

    [Fact]
    public void Keep_weights_as_they_are_and_turn_queries_and_keys_from_halves_to_pairs()
    {
        var file = Written(GgufType.F32);

        Assert.Equal(s_weights("lm_head.weight", s_shape.Vocabulary, s_shape.Hidden), file.Floats("output.weight"));
        Assert.Equal(s_weights("model.layers.1.self_attn.v_proj.weight", s_shape.KeyValueWidth, s_shape.Hidden),
            file.Floats("blk.1.attn_v.weight"));
        var source = s_weights("model.layers.1.self_attn.k_proj.weight", s_shape.KeyValueWidth, s_shape.Hidden);
        var turned = file.Floats("blk.1.attn_k.weight");
        for (var pair = 0; pair < s_shape.KeyValueWidth / 2; pair++)
        {
            var (head, within) = Math.DivRem(pair, s_shape.HeadSize / 2);
            var first = (head * s_shape.HeadSize) + within;
            Assert.Equal(Row(source, first), Row(turned, 2 * pair));
            Assert.Equal(Row(source, first + (s_shape.HeadSize / 2)), Row(turned, (2 * pair) + 1));
        }
    }

    [Fact]
    public void Round_matrices_to_four_bits_by_at_most_a_step_and_leave_norms_alone()
    {
        var file = Written(GgufType.Q4Block32);

        Assert.Equal(s_weights("model.norm.weight", 1, s_shape.Hidden), file.Floats("output_norm.weight"));
        var source = s_weights("model.layers.0.mlp.up_proj.weight", s_shape.Intermediate, s_shape.Hidden);
        var kept = file.Floats("blk.0.ffn_up.weight");
        foreach (var (whole, rounded) in source.Chunk(32).Zip(kept.Chunk(32)))
        {
            // 16 levels from -8 to 7 steps: at most half a step, or a whole one opposite to the extreme number; and the scale is a half.
            var step = whole.Max(Math.Abs) / 8;
            Assert.All(whole.Zip(rounded), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, step * 1.01f));
            Assert.InRange(whole.Zip(rounded).Average(pair => Math.Abs(pair.First - pair.Second)), 0, step * 0.4f);
        }
    }

    [Fact]
    public void A_folder_of_ours_becomes_the_same_file_as_its_weights()
    {
        DecoderFolder.Write(_folder, s_shape, weights: s_weights);
        File.WriteAllText(Path.Combine(_folder, "config.json"),
            $$"""
            {"model_type": "llama", "vocab_size": {{s_shape.Vocabulary}}, "hidden_size": {{s_shape.Hidden}}, "head_dim": {{s_shape.HeadSize}},
             "num_hidden_layers": {{s_shape.Layers}}, "num_attention_heads": {{s_shape.Heads}}, "rms_norm_eps": 1e-5, "rope_theta": 10000,
             "num_key_value_heads": {{s_shape.KeyValueHeads}}, "intermediate_size": {{s_shape.Intermediate}},
             "max_position_embeddings": {{s_shape.Context}}, "tie_word_embeddings": false}
            """);
        var converted = Path.Combine(_folder, "converted.gguf");
        LlamaFolder.Convert(_folder, converted, GgufType.Q4Block32, TestContext.Current.CancellationToken);

        Written(GgufType.Q4Block32);
        Assert.Equal(File.ReadAllBytes(FilePath), File.ReadAllBytes(converted));
    }

    private GgufReading Written(GgufType type)
    {
        if (!File.Exists(Path.Combine(_folder, "tokenizer.json")))
            DecoderFolder.Write(_folder, s_shape, weights: s_weights);
        var vocabulary = GgufVocabulary.Read(_folder, s_shape.Vocabulary);
        LlamaGguf.Write(FilePath, s_shape, s_weights, vocabulary, type, TestContext.Current.CancellationToken);
        return new GgufReading(FilePath);
    }

    private static float[] Row(float[] matrix, int row) => matrix[(row * s_shape.Hidden)..((row + 1) * s_shape.Hidden)];
}
