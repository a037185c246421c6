using Cairn.Frameworks.Onnx.Decoders;

namespace Cairn.Frameworks.Gguf;

/// <summary>
/// Writes a decoder of Llama's kind for llama.cpp: RMS norms, rotary positions, grouped heads, SwiGLU, no biases. Names and keys are those
/// of llama.cpp's architecture <c>llama</c> (gguf-py, constants.py).
/// </summary>
internal static class LlamaGguf
{
    // The numbers of llama_token_type.
    private const int NormalToken = 1, ControlToken = 3;

    /// <summary>
    /// Writes the model; a file that is there already is replaced. Norms are kept in single precision, matrices as <paramref name="type"/>
    /// says, the embedding and the head like any other.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// The shape does not divide as it must, or the vocabulary or a weight has another size than it says.
    /// </exception>
    internal static void Write(
        string path, DecoderShape shape, DecoderWeights weights, GgufVocabulary vocabulary, GgufType type,
        CancellationToken cancellationToken = default)
    {
        Check(shape, vocabulary);
        var file = new GgufFile();
        AddShape(file, shape, type);
        AddVocabulary(file, vocabulary);
        AddTensors(file, shape, weights, type);
        file.Save(path, cancellationToken);
    }

    private static void Check(DecoderShape shape, GgufVocabulary vocabulary)
    {
        if (shape.Heads % shape.KeyValueHeads != 0 || shape.HeadSize % 2 != 0)
            throw new ArgumentException(
                $"{shape.Heads} heads of {shape.HeadSize} over {shape.KeyValueHeads} key heads; expected a multiple, and an even size.");
        if (shape.Hidden % 32 != 0 || shape.Intermediate % 32 != 0 || shape.QueryWidth % 32 != 0)
            throw new ArgumentException($"Widths {shape.Hidden}, {shape.Intermediate}, {shape.QueryWidth}; expected multiples of 32.");
        if (vocabulary.Tokens.Count != shape.Vocabulary)
            throw new ArgumentException($"The vocabulary has {vocabulary.Tokens.Count} tokens; the model's shape says {shape.Vocabulary}.");
    }

    private static void AddShape(GgufFile file, DecoderShape shape, GgufType type)
    {
        file.Add("general.architecture", "llama");
        file.Add("general.name", "cairn");
        file.Add("general.file_type", (uint)type);
        file.Add("llama.vocab_size", (uint)shape.Vocabulary);
        file.Add("llama.context_length", (uint)shape.Context);
        file.Add("llama.embedding_length", (uint)shape.Hidden);
        file.Add("llama.feed_forward_length", (uint)shape.Intermediate);
        file.Add("llama.block_count", (uint)shape.Layers);
        file.Add("llama.attention.head_count", (uint)shape.Heads);
        file.Add("llama.attention.head_count_kv", (uint)shape.KeyValueHeads);
        file.Add("llama.attention.key_length", (uint)shape.HeadSize);
        file.Add("llama.attention.value_length", (uint)shape.HeadSize);
        file.Add("llama.attention.layer_norm_rms_epsilon", shape.NormEpsilon);
        file.Add("llama.rope.dimension_count", (uint)shape.HeadSize);
        file.Add("llama.rope.freq_base", shape.RopeTheta);
    }

    private static void AddVocabulary(GgufFile file, GgufVocabulary vocabulary)
    {
        file.Add("tokenizer.ggml.model", "gpt2");
        file.Add("tokenizer.ggml.pre", "gpt-2");
        file.Add("tokenizer.ggml.tokens", vocabulary.Tokens);
        file.Add("tokenizer.ggml.token_type", [.. Enumerable.Range(0, vocabulary.Tokens.Count).Select(id =>
            vocabulary.Special.Contains(id) ? ControlToken : NormalToken)]);
        file.Add("tokenizer.ggml.merges", vocabulary.Merges);
        file.Add("tokenizer.ggml.add_bos_token", false);
        foreach (var (key, id) in new[] { ("bos", vocabulary.Begin), ("eos", vocabulary.End), ("eot", vocabulary.EndOfTurn) })
        {
            if (id is { } known)
                file.Add($"tokenizer.ggml.{key}_token_id", (uint)known);
        }

        if (vocabulary.ChatTemplate is { } template)
            file.Add("tokenizer.chat_template", template);
    }

    private static void AddTensors(GgufFile file, DecoderShape shape, DecoderWeights weights, GgufType type)
    {
        var (queries, keys) = (shape.QueryWidth, shape.KeyValueWidth);
        Matrix("token_embd", WeightNames.Embedding, shape.Vocabulary, shape.Hidden);
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            var blk = $"blk.{layer}.";
            Vector(blk + "attn_norm", WeightNames.Layer(layer, "input_layernorm"));
            Rotary(blk + "attn_q", WeightNames.Layer(layer, "self_attn.q_proj"), queries);
            Rotary(blk + "attn_k", WeightNames.Layer(layer, "self_attn.k_proj"), keys);
            Matrix(blk + "attn_v", WeightNames.Layer(layer, "self_attn.v_proj"), keys, shape.Hidden);
            Matrix(blk + "attn_output", WeightNames.Layer(layer, "self_attn.o_proj"), shape.Hidden, queries);
            Vector(blk + "ffn_norm", WeightNames.Layer(layer, "post_attention_layernorm"));
            Matrix(blk + "ffn_gate", WeightNames.Layer(layer, "mlp.gate_proj"), shape.Intermediate, shape.Hidden);
            Matrix(blk + "ffn_up", WeightNames.Layer(layer, "mlp.up_proj"), shape.Intermediate, shape.Hidden);
            Matrix(blk + "ffn_down", WeightNames.Layer(layer, "mlp.down_proj"), shape.Hidden, shape.Intermediate);
        }

        Vector("output_norm", WeightNames.FinalNorm);
        // Where it is missing, llama.cpp takes the embedding.
        if (!shape.TiedEmbeddings)
            Matrix("output", WeightNames.Output, shape.Vocabulary, shape.Hidden);

        void Vector(string name, string source) =>
            file.Add(new GgufTensor(name + ".weight", 0, shape.Hidden, GgufType.F32, () => weights(source, 1, shape.Hidden)));
        void Matrix(string name, string source, int rows, int columns) =>
            file.Add(new GgufTensor(name + ".weight", rows, columns, type, () => weights(source, rows, columns)));
        void Rotary(string name, string source, int rows) => file.Add(new GgufTensor(
            name + ".weight", rows, shape.Hidden, type, () => Interleaved(weights(source, rows, shape.Hidden), shape)));
    }

    /// <summary>
    /// llama.cpp turns neighbouring pairs of a head against each other, published weights the head's halves: rows i and i + size/2 of a
    /// head become rows 2i and 2i + 1.
    /// </summary>
    private static float[] Interleaved(float[] weight, DecoderShape shape)
    {
        var (headSize, columns) = (shape.HeadSize, shape.Hidden);
        var moved = new float[weight.Length];
        for (var row = 0; row < weight.Length / columns; row++)
        {
            var (head, within) = Math.DivRem(row, headSize);
            var target = (head * headSize) + (within % (headSize / 2) * 2) + (within / (headSize / 2));
            weight.AsSpan(row * columns, columns).CopyTo(moved.AsSpan(target * columns));
        }

        return moved;
    }
}
