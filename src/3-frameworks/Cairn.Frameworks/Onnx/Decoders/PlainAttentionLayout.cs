using Cairn.Frameworks.Onnx.Proto;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;
using static Cairn.Frameworks.Onnx.Decoders.GraphBuilder;

namespace Cairn.Frameworks.Onnx.Decoders;

/// <summary>
/// Rotation, cache and attention in standard operators; new keys and values are appended to the past ones. Any mask of ones and zeros
/// works.
/// </summary>
internal sealed class PlainAttentionLayout : IAttentionLayout
{
    private readonly DecoderShape _shape;
    private readonly GraphBuilder _graph;
    private readonly string _cos;
    private readonly string _sin;
    private readonly string _bias;

    internal PlainAttentionLayout(DecoderShape shape, GraphBuilder graph)
    {
        (_shape, _graph) = (shape, graph);
        var rotation = Rotation.Of(shape, graph);
        _cos = Positions("cos", rotation.Cos);
        _sin = Positions("sin", rotation.Sin);
        _bias = Bias();
    }

    public string Attend(int layer, string query, string key, string value)
    {
        var name = $"/model/layers.{layer}/self_attn";
        var queries = Rotate($"{name}/q", Heads($"{name}/q", query, _shape.Heads));
        var keys = Append($"{name}/k", layer, "key", Rotate($"{name}/k", Heads($"{name}/k", key, _shape.KeyValueHeads)));
        var values = Append($"{name}/v", layer, "value", Heads($"{name}/v", value, _shape.KeyValueHeads));

        // Heads that share keys and values become a dimension of their own, over which those are broadcast.
        var grouped = _graph.Node("Reshape", $"{name}/q/Group",
            [queries, _graph.Vector(0, _shape.KeyValueHeads, _shape.Heads / _shape.KeyValueHeads, -1, _shape.HeadSize)]);
        var across = _graph.Node("Unsqueeze", $"{name}/k/Unsqueeze",
            [_graph.Node("Transpose", $"{name}/k/Across", [keys], Ints("perm", 0, 1, 3, 2)), _graph.Vector(2)]);
        var scores = _graph.Node("MatMul", $"{name}/Scores", [grouped, across]);
        var scaled = _graph.Node("Mul", $"{name}/Scale", [scores, _graph.Values($"{name}/scale", [1 / MathF.Sqrt(_shape.HeadSize)])]);
        var weights = _graph.Node("Softmax", $"{name}/Softmax", [_graph.Node("Add", $"{name}/Mask", [scaled, _bias])], Int("axis", -1));
        var mixed = _graph.Node("MatMul", $"{name}/Mix",
            [weights, _graph.Node("Unsqueeze", $"{name}/v/Unsqueeze", [values, _graph.Vector(2)])]);
        var heads = _graph.Node("Reshape", $"{name}/Ungroup", [mixed, _graph.Vector(0, _shape.Heads, -1, _shape.HeadSize)]);
        var turned = _graph.Node("Transpose", $"{name}/Turn", [heads], Ints("perm", 0, 2, 1, 3));
        return _graph.Node("Reshape", $"{name}/Join", [turned, _graph.Vector(0, 0, _shape.QueryWidth)]);
    }

    private string Heads(string name, string flat, int heads) =>
        _graph.Node("Transpose", $"{name}/Transpose",
            [_graph.Node("Reshape", $"{name}/Reshape", [flat, _graph.Vector(0, 0, heads, _shape.HeadSize)])], Ints("perm", 0, 2, 1, 3));

    private string Append(string name, int layer, string part, string added)
    {
        var present = $"present.{layer}.{part}";
        _graph.Nodes("Concat", $"{name}/Concat", [$"past_key_values.{layer}.{part}", added], [present], Int("axis", 2));
        return present;
    }

    /// <summary>Rotates the two halves of each head against one another.</summary>
    private string Rotate(string name, string heads)
    {
        var half = _graph.Nodes("Split", $"{name}/Split", [heads], [$"{name}/first", $"{name}/second"], Int("axis", -1));
        var turned = _graph.Node("Concat", $"{name}/Turned", [_graph.Node("Neg", $"{name}/Neg", [half[1]]), half[0]], Int("axis", -1));
        return _graph.Node("Add", $"{name}/Rotated",
            [_graph.Node("Mul", $"{name}/MulCos", [heads, _cos]), _graph.Node("Mul", $"{name}/MulSin", [turned, _sin])]);
    }

    /// <summary>The table's rows at the position ids, once for each half, for every head: [batch, 1, sequence, head size].</summary>
    private string Positions(string name, string table)
    {
        var rows = _graph.Node("Gather", $"/model/rotary/{name}/Gather", [table, "position_ids"]);
        var twice = _graph.Node("Concat", $"/model/rotary/{name}/Concat", [rows, rows], Int("axis", -1));
        return _graph.Node("Unsqueeze", $"/model/rotary/{name}/Unsqueeze", [twice, _graph.Vector(1)]);
    }

    /// <summary>0 where a token may look, the lowest number of the type where not: [batch, 1, 1, sequence, total].</summary>
    private string Bias()
    {
        const string name = "/model/mask";
        var total = Size("attention_mask", 1, $"{name}/total");
        var past = Size("past_key_values.0.key", 2, $"{name}/past");
        var (zero, one) = (_graph.Scalar(0), _graph.Scalar(1));
        var columns = _graph.Node("Range", $"{name}/Columns", [zero, total, one]);
        var own = _graph.Node("Range", $"{name}/Rows",
            [past, _graph.Node("Add", $"{name}/End", [past, Size("input_ids", 1, $"{name}/new")]), one]);
        var causal = _graph.Node("LessOrEqual", $"{name}/Causal",
            [columns, _graph.Node("Unsqueeze", $"{name}/Column", [own, _graph.Vector(1)])]);
        var present = _graph.Node("Cast", $"{name}/Present",
            [_graph.Node("Unsqueeze", $"{name}/Unsqueeze", ["attention_mask", _graph.Vector(1, 2, 3)])], To(DataType.Bool));
        var lowest = _graph.Activations == DataType.Float16 ? -65504f : float.MinValue;
        return _graph.Node("Where", $"{name}/Where", [_graph.Node("And", $"{name}/And", [causal, present]),
            _graph.Values($"{name}/zero", [0]), _graph.Values($"{name}/lowest", [lowest])]);
    }

    private string Size(string tensor, long axis, string name) =>
        _graph.Node("Gather", name, [_graph.Node("Shape", $"{name}/Shape", [tensor]), _graph.Scalar(axis)], Int("axis", 0));
}
