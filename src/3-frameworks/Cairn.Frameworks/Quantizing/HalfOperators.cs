using Cairn.Frameworks.Onnx.Proto;

namespace Cairn.Frameworks.Quantizing;

/// <summary>Which nodes stay in floats when a graph becomes halves.</summary>
internal static class HalfOperators
{
    /// <summary>The schema has no float16 for an input or output that is float, or gives floats whatever comes in.</summary>
    private static readonly HashSet<string> WithoutHalves =
    [
        "Range", "Resize", "Upsample", "DynamicQuantizeLinear", "NonMaxSuppression", "RoiAlign", "Multinomial", "RandomNormal",
        "RandomUniform", "RandomNormalLike", "RandomUniformLike", "EyeLike", "MelWeightMatrix", "DFT", "STFT", "HannWindow",
        "HammingWindow", "BlackmanWindow", "CenterCropPad", "GridSample", "TfIdfVectorizer", "StringNormalizer", "ImageDecoder",
        "QuantizeLinear", "DequantizeLinear", "QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger", "SequenceConstruct",
        "SequenceInsert", "SequenceAt", "ConcatFromSequence", "Optional",
    ];

    /// <summary>What squares or sums passes 65,504, the largest half, or loses small numbers.</summary>
    private static readonly HashSet<string> Delicate =
    [
        "Pow", "ReduceMean", "ReduceSum", "ReduceSumSquare", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "CumSum",
        "Sqrt", "Reciprocal", "Exp", "Log",
    ];

    /// <summary>Contributed operators whose CPU or GPU schema takes halves.</summary>
    private static readonly HashSet<string> Contributed =
    [
        "GroupQueryAttention", "MultiHeadAttention", "Attention", "RotaryEmbedding", "SkipLayerNormalization",
        "SkipSimplifiedLayerNormalization", "EmbedLayerNormalization", "Gelu", "FastGelu", "BiasGelu", "QuickGelu", "FusedMatMul",
        "SimplifiedLayerNormalization",
    ];

    private static readonly HashSet<string> Elementwise = ["Add", "Sub", "Mul", "Div", "Max", "Min", "Clip"];

    /// <summary>What leads from positions to the angles of a rotation.</summary>
    private static readonly HashSet<string> Turning =
    [
        "Cast", "Mul", "Div", "Add", "MatMul", "Einsum", "Concat", "Unsqueeze", "Squeeze", "Reshape", "Transpose", "Expand", "Slice",
        "Identity",
    ];

    /// <summary>Sines and cosines and what computes their angles: a half counts positions only up to 2,048.</summary>
    internal static HashSet<NodeProto> Angles(GraphProto graph, IReadOnlySet<string> floats)
    {
        var producers = graph.Node.SelectMany(node => node.Output.Select(output => (output, node)))
            .ToDictionary(pair => pair.output, pair => pair.node, StringComparer.Ordinal);
        var found = graph.Node.Where(node => node.OpType is "Sin" or "Cos").ToHashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        var border = found.ToList();
        for (var steps = 0; steps < 8; steps++)
            border = [.. border.SelectMany(node => node.Input).Where(floats.Contains)
                .Select(name => producers.GetValueOrDefault(name)).OfType<NodeProto>()
                .Where(node => Turning.Contains(node.OpType) && found.Add(node))];
        return found;
    }

    /// <summary>
    /// Transpositions that move the first dimension to the rows of a product, and those products: ONNX Runtime 1.31 fuses them, and in halves its
    /// optimiser for processors then ends the process.
    /// </summary>
    internal static IEnumerable<NodeProto> TurnedBatches(GraphProto graph)
    {
        var readers = graph.Node.Where(node => node.OpType == "MatMul").SelectMany(node => node.Input.Select(input => (input, node)))
            .ToLookup(pair => pair.input, pair => pair.node, StringComparer.Ordinal);
        foreach (var node in graph.Node.Where(node => node.OpType == "Transpose" && readers.Contains(node.Output[0])))
            if (node.Attribute.FirstOrDefault(attribute => attribute.Name == "perm")?.Ints is { Count: > 2 } order && order[0] != 0)
                foreach (var turned in readers[node.Output[0]].Prepend(node))
                    yield return turned;
    }

    /// <param name="floats">Values that nodes before this one left in floats.</param>
    internal static bool StaysFloat(NodeProto node, IReadOnlySet<string> floats, Func<string, bool> isSmallConstant) =>
        node.Domain is not ("" or "ai.onnx" or "com.microsoft")
        || (node.Domain == "com.microsoft" && !Contributed.Contains(node.OpType))
        || WithoutHalves.Contains(node.OpType) || Delicate.Contains(node.OpType)
        // An epsilon added to a mean of squares belongs to it.
        || (Elementwise.Contains(node.OpType) && node.Input.Any(floats.Contains)
            && node.Input.All(input => input.Length == 0 || floats.Contains(input) || isSmallConstant(input)));
}
