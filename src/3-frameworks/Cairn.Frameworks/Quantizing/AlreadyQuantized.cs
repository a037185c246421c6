using Cairn.Frameworks.Onnx;
using Cairn.Frameworks.Onnx.Proto;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;

namespace Cairn.Frameworks.Quantizing;

/// <summary>Refuses what has been quantised before: rounding twice adds errors and wins nothing.</summary>
internal static class AlreadyQuantized
{
    private static readonly HashSet<string> Operators =
    [
        "MatMulNBits", "MatMulBnb4", "MatMulFpQ4", "GatherBlockQuantized", "QMoE", "DequantizeLinear", "DynamicQuantizeLinear",
        "MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul", "ConvInteger", "QLinearMatMul", "QLinearConv", "QGemm",
        "QAttention", "DynamicQuantizeLSTM",
    ];

    internal static void Refuse(ModelProto model, string path, QuantizeTarget target)
    {
        var nodes = Nodes(model.Graph).Concat(model.Functions.SelectMany(function => function.Node));
        if (nodes.FirstOrDefault(node => Operators.Contains(node.OpType)) is { } node)
            throw new QuantizeException(
                $"{path}: the model is quantised already: node '{node.Name}' is a {node.OpType}. Start from the model in floats or halves");
        var weights = model.Graph.Initializer.Where(TensorReader.IsFloating).ToList();
        if (target == QuantizeTarget.Float16 && weights.Count > 0 && weights.All(tensor => TensorTypes.Type(tensor) != DataType.Float))
            throw new QuantizeException($"{path}: the model's weights are {TensorTypes.Name(weights[0])} already");
    }

    private static IEnumerable<NodeProto> Nodes(GraphProto graph) =>
        graph.Node.Concat(graph.Node.SelectMany(Subgraphs.Of).SelectMany(Nodes));
}
