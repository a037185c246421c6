using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;
using static Cairn.Frameworks.Onnx.Decoders.GraphBuilder;

namespace Cairn.Frameworks.Onnx.Decoders;

/// <summary>
/// One GroupQueryAttention node a layer, rotation inside. The lengths come from the attention mask, whose rows are ones and then zeros.
/// </summary>
internal sealed class GroupQueryLayout : IAttentionLayout
{
    private readonly DecoderShape _shape;
    private readonly GraphBuilder _graph;
    private readonly string[] _shared;

    internal GroupQueryLayout(DecoderShape shape, GraphBuilder graph)
    {
        (_shape, _graph) = (shape, graph);
        const string name = "/model/attn_mask_reformat";
        var sum = graph.Node("ReduceSum", $"{name}/ReduceSum", ["attention_mask", graph.Vector(1)], Int("keepdims", 0));
        var past = graph.Node("Cast", $"{name}/seqlens_k", [graph.Node("Sub", $"{name}/Sub", [sum, graph.Vector(1)])], To(DataType.Int32));
        var dims = graph.Node("Shape", $"{name}/Shape", ["attention_mask"]);
        var total = graph.Node("Gather", $"{name}/Gather", [dims, graph.Scalar(1)], Int("axis", 0));
        var rotation = Rotation.Of(shape, graph);
        _shared = [past, graph.Node("Cast", $"{name}/total_sequence_length", [total], To(DataType.Int32)), rotation.Cos, rotation.Sin];
    }

    public string Attend(int layer, string query, string key, string value)
    {
        string[] outputs = [$"/model/layers.{layer}/attn/GroupQueryAttention", $"present.{layer}.key", $"present.{layer}.value"];
        _graph.Nodes("GroupQueryAttention", outputs[0],
            [query, key, value, $"past_key_values.{layer}.key", $"past_key_values.{layer}.value", .. _shared], outputs,
            Int("num_heads", _shape.Heads), Int("kv_num_heads", _shape.KeyValueHeads), Int("do_rotary", 1), Int("rotary_interleaved", 0),
            Float("scale", 1 / MathF.Sqrt(_shape.HeadSize)));
        return outputs[0];
    }
}

/// <summary>The tables of rotary positions (Su et al. 2021), [context, head size / 2].</summary>
internal readonly record struct Rotation(string Cos, string Sin)
{
    internal static Rotation Of(DecoderShape shape, GraphBuilder graph)
    {
        var half = shape.HeadSize / 2;
        var (cos, sin) = (new float[shape.Context * half], new float[shape.Context * half]);
        for (var i = 0; i < cos.Length; i++)
        {
            var angle = i / half * Math.Pow(shape.RopeTheta, -2.0 * (i % half) / shape.HeadSize);
            (cos[i], sin[i]) = ((float)Math.Cos(angle), (float)Math.Sin(angle));
        }
        return new Rotation(graph.Values("cos_cache", cos, shape.Context, half), graph.Values("sin_cache", sin, shape.Context, half));
    }
}
