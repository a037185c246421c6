using Cairn.Frameworks.Onnx.Proto;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;
using static Cairn.Frameworks.Onnx.Decoders.GraphBuilder;

namespace Cairn.Frameworks.Onnx.Decoders;

/// <summary>
/// Writes a Llama-like decoder (Touvron et al. 2023: RMS norms before each part, rotary positions, SwiGLU) as an ONNX graph with a cache of
/// keys and values, under the input and output names that onnxruntime-genai and onnx-community use. It gives a run's last logits; another
/// <c>num_logits_to_keep</c>, which nobody need give, asks for more, and 0 for all.
/// </summary>
internal sealed class DecoderGraph
{
    private readonly DecoderShape _shape;
    private readonly DecoderPrecision _precision;
    private readonly DecoderWeights _weights;
    private readonly GraphBuilder _graph;

    private DecoderGraph(DecoderShape shape, DecoderPrecision precision, DecoderWeights weights, OnnxWriter writer)
    {
        (_shape, _precision, _weights) = (shape, precision, weights);
        _graph = new GraphBuilder(writer, precision);
    }

    /// <summary>
    /// Writes the graph to <paramref name="path"/>, tensors over <paramref name="insideUpTo"/> bytes to a file beside it.
    /// </summary>
    internal static void Write(
        string path, DecoderShape shape, DecoderLayout layout, DecoderPrecision precision, DecoderWeights weights,
            long insideUpTo = 64 << 20)
    {
        using var writer = new OnnxWriter(path, insideUpTo);
        writer.Finish(new DecoderGraph(shape, precision, weights, writer).Build(layout));
    }

    private ModelProto Build(DecoderLayout layout)
    {
        if (_shape.Fused && layout != DecoderLayout.Genai)
            throw new ArgumentException($"{nameof(DecoderShape.Fused)} is for the layout {DecoderLayout.Genai}; this is {layout}.");
        _graph.Input("input_ids", DataType.Int64, "batch_size", "sequence_length");
        _graph.Input("attention_mask", DataType.Int64, "batch_size", "total_sequence_length");
        if (layout == DecoderLayout.Community)
            _graph.Input("position_ids", DataType.Int64, "batch_size", "sequence_length");
        var halfLogits = _precision == DecoderPrecision.Float16 && layout == DecoderLayout.Genai;
        _graph.Output("logits", halfLogits ? DataType.Float16 : DataType.Float, "batch_size", "logits_length", _shape.Vocabulary);
        DeclareCache();
        IAttentionLayout attention = layout == DecoderLayout.Genai
            ? new GroupQueryLayout(_shape, _graph) : new PlainAttentionLayout(_shape, _graph);
        Logits(LastTokens(Decoder(attention)), halfLogits);
        return new ModelProto
        {
            IrVersion = 8, ProducerName = "cairn", Graph = _graph.Graph,
            OpsetImport =
            {
                new OperatorSetIdProto { Domain = "", Version = 17 }, new OperatorSetIdProto { Domain = "com.microsoft", Version = 1 },
            },
        };
    }

    private void DeclareCache()
    {
        for (var layer = 0; layer < _shape.Layers; layer++)
            foreach (var part in (string[])["key", "value"])
            {
                _graph.Input($"past_key_values.{layer}.{part}", _graph.Activations,
                    "batch_size", _shape.KeyValueHeads, "past_sequence_length", _shape.HeadSize);
                _graph.Output($"present.{layer}.{part}", _graph.Activations,
                    "batch_size", _shape.KeyValueHeads, "total_sequence_length", _shape.HeadSize);
            }
    }

    private string Decoder(IAttentionLayout attention)
    {
        var table = _weights(WeightNames.Embedding, _shape.Vocabulary, _shape.Hidden);
        var embedding = _graph.Values(WeightNames.Embedding, table, _shape.Vocabulary, _shape.Hidden);
        var hidden = _graph.Node("Gather", "/model/embed_tokens/Gather", [embedding, "input_ids"]);
        string? added = null;
        for (var layer = 0; layer < _shape.Layers; layer++)
        {
            var name = $"/model/layers.{layer}";
            (hidden, var normed) = AddAndNorm($"{name}/input_layernorm", hidden, added, WeightNames.Layer(layer, "input_layernorm"));
            added = Project(layer, "self_attn.o_proj", Attend(attention, layer, normed), _shape.Hidden, _shape.QueryWidth);
            (hidden, normed) = AddAndNorm($"{name}/post_attention_layernorm", hidden, added, WeightNames.Layer(layer, "post_attention_layernorm"));
            added = FeedForward(layer, normed);
        }
        return AddAndNorm("/model/norm", hidden, added, WeightNames.FinalNorm).Normed;
    }

    private string Attend(IAttentionLayout attention, int layer, string input)
    {
        if (!_shape.Fused)
            return attention.Attend(layer,
                Project(layer, "self_attn.q_proj", input, _shape.QueryWidth, _shape.Hidden),
                Project(layer, "self_attn.k_proj", input, _shape.KeyValueWidth, _shape.Hidden),
                Project(layer, "self_attn.v_proj", input, _shape.KeyValueWidth, _shape.Hidden));
        float[] Rows(string part, int rows) => _weights(WeightNames.Layer(layer, $"self_attn.{part}"), rows, _shape.Hidden);
        float[] all = [.. Rows("q_proj", _shape.QueryWidth), .. Rows("k_proj", _shape.KeyValueWidth), .. Rows("v_proj", _shape.KeyValueWidth)];
        var packed = _graph.Linear(
            $"model.layers.{layer}.attn.qkv_proj", input, all, _shape.QueryWidth + (2 * _shape.KeyValueWidth), _shape.Hidden);
        return attention.Attend(layer, packed, "", "");
    }

    private (string Sum, string Normed) AddAndNorm(string name, string hidden, string? added, string weight)
    {
        if (added is null)
            return (hidden, Norm(name, hidden, weight));
        if (!_shape.Fused)
        {
            var sum = _graph.Node("Add", $"{name}/Add", [hidden, added]);
            return (sum, Norm(name, sum, weight));
        }
        string[] outputs = [$"{name}/SkipLayerNorm", "", "", $"{name}/Add"];
        _graph.Nodes("SkipSimplifiedLayerNormalization", outputs[0],
            [hidden, added, _graph.Values(weight, _weights(weight, 1, _shape.Hidden), _shape.Hidden)], outputs, Float("epsilon", _shape.NormEpsilon));
        return (outputs[3], outputs[0]);
    }

    private string FeedForward(int layer, string input)
    {
        var name = $"/model/layers.{layer}/mlp";
        var gate = Project(layer, "mlp.gate_proj", input, _shape.Intermediate, _shape.Hidden);
        var up = Project(layer, "mlp.up_proj", input, _shape.Intermediate, _shape.Hidden);
        var silu = _graph.Node("Mul", $"{name}/act/Mul", [gate, _graph.Node("Sigmoid", $"{name}/act/Sigmoid", [gate])]);
        return Project(layer, "mlp.down_proj", _graph.Node("Mul", $"{name}/Mul", [silu, up]), _shape.Hidden, _shape.Intermediate);
    }

    private string Project(int layer, string part, string input, int outputs, int inputs) =>
        _graph.Linear($"model.layers.{layer}.{part}", input, _weights(WeightNames.Layer(layer, part), outputs, inputs), outputs, inputs);

    private string Norm(string name, string input, string weight) =>
        _graph.Node("SimplifiedLayerNormalization", $"{name}/LayerNorm",
            [input, _graph.Values(weight, _weights(weight, 1, _shape.Hidden), _shape.Hidden)],
            Float("epsilon", _shape.NormEpsilon), Int("axis", -1), Int("stash_type", 1));

    /// <summary>The output layer is much of a small model's work, and only a prompt's last token needs it.</summary>
    private string LastTokens(string hidden)
    {
        _graph.Input("num_logits_to_keep", DataType.Int64);
        var first = _graph.Node("Neg", "/lm_head/First", [_graph.Default("num_logits_to_keep", 1)]);
        first = _graph.Node("Reshape", "/lm_head/First/Reshape", [first, _graph.Vector(1)]);
        return _graph.Node("Slice", "/lm_head/Slice", [hidden, first, _graph.Vector(long.MaxValue), _graph.Vector(1)]);
    }

    private void Logits(string hidden, bool half)
    {
        var logits = Output(hidden);
        if (_graph.Activations == DataType.Float16 && !half)
            _graph.Nodes("Cast", "/lm_head/Cast", [logits], ["logits"], To(DataType.Float));
        else
            _graph.Nodes("Identity", "/lm_head/Identity", [logits], ["logits"]);
    }

    private string Output(string hidden)
    {
        var integer = _precision is DecoderPrecision.Int4 or DecoderPrecision.Int8;
        if (!_shape.TiedEmbeddings || integer)
        {
            var weight = _weights(_shape.TiedEmbeddings ? WeightNames.Embedding : WeightNames.Output, _shape.Vocabulary, _shape.Hidden);
            return _graph.Linear("lm_head", hidden, weight, _shape.Vocabulary, _shape.Hidden);
        }
        var transposed = _graph.Node("Transpose", "/lm_head/Transpose", [WeightNames.Embedding], Ints("perm", 1, 0));
        return _graph.Node("MatMul", "/lm_head/MatMul", [hidden, transposed]);
    }
}

/// <summary>How a layout rotates, caches and attends.</summary>
internal interface IAttentionLayout
{
    /// <summary>Adds a layer's attention. Where key and value are empty, the query holds all three side by side.</summary>
    /// <returns>The heads' outputs side by side, [batch, sequence, heads × head size].</returns>
    string Attend(int layer, string query, string key, string value);
}
