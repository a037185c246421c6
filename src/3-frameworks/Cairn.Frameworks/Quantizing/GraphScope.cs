using Cairn.Frameworks.Onnx;
using Cairn.Frameworks.Onnx.Proto;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;

namespace Cairn.Frameworks.Quantizing;

/// <summary>The constants that a graph's nodes can name, those of the graphs around it included.</summary>
internal sealed class GraphScope
{
    private readonly GraphScope? _outer;
    private readonly Dictionary<string, TensorProto> _constants = new(StringComparer.Ordinal);
    private readonly Dictionary<string, NodeProto> _producers = new(StringComparer.Ordinal);

    /// <param name="overridable">
    /// Whether an initializer that is an input too may be replaced by the caller: since IR version 4 (ONNX IR.md).
    /// </param>
    internal GraphScope(GraphProto graph, GraphScope? outer, bool overridable)
    {
        _outer = outer;
        var given = overridable ? graph.Input.Select(input => input.Name).ToHashSet(StringComparer.Ordinal) : [];
        foreach (var tensor in graph.Initializer.Where(tensor => !given.Contains(tensor.Name)))
            _constants[tensor.Name] = tensor;
        foreach (var node in graph.Node)
        {
            if (node is { OpType: "Constant", Domain: "" } && node.Attribute.FirstOrDefault(a => a.Name == "value")?.T is { } value)
                _constants[node.Output[0]] = value;
            foreach (var output in node.Output)
                _producers[output] = node;
        }
    }

    internal TensorProto? Constant(string name) => _constants.GetValueOrDefault(name) ?? _outer?.Constant(name);

    internal NodeProto? Producer(string name) => _producers.GetValueOrDefault(name) ?? _outer?.Producer(name);

    /// <summary>The weight that a value is, through casts and transpositions; null where it is computed or no float matrix.</summary>
    internal ConstantWeight? Weight(string name)
    {
        var (transposed, type) = (false, DataType.Undefined);
        for (var steps = 0; steps < 4; steps++)
        {
            if (Constant(name) is { } tensor)
            {
                type = type == DataType.Undefined ? TensorTypes.Type(tensor) : type;
                return tensor.Dims.Count == 2 && TensorReader.IsFloating(tensor) && type is DataType.Float or DataType.Float16
                    && TensorTypes.Count(tensor) > 0 ? new ConstantWeight(tensor, transposed, type) : null;
            }
            if (Producer(name) is not { Domain: "" } node)
                return null;
            if (node.OpType == "Cast" && type == DataType.Undefined)
                type = (DataType)Int(node, "to", 0);
            else if (node.OpType == "Transpose" && IsSwap(node))
                transposed = !transposed;
            else if (node.OpType != "Identity")
                return null;
            name = node.Input[0];
        }
        return null;
    }

    internal static long Int(NodeProto node, string name, long otherwise) =>
        node.Attribute.FirstOrDefault(attribute => attribute.Name == name)?.I ?? otherwise;

    internal static float Float(NodeProto node, string name, float otherwise) =>
        node.Attribute.FirstOrDefault(attribute => attribute.Name == name)?.F ?? otherwise;

    private static bool IsSwap(NodeProto node) =>
        node.Attribute.FirstOrDefault(attribute => attribute.Name == "perm") is not { } order
            || (order.Ints.Count == 2 && order.Ints[0] == 1);
}
