using Cairn.Frameworks.Onnx;
using Cairn.Frameworks.Onnx.Proto;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;

namespace Cairn.Frameworks.Quantizing;

/// <summary>
/// Replaces products with constant float matrices by com.microsoft.MatMulNBits, and, if asked, look-ups in them by GatherBlockQuantized
/// (ONNX Runtime, ContribOperators.md). Everything else stays.
/// </summary>
internal sealed class WeightQuantizer(TensorReader reader, OnnxWriter writer, QuantizeOptions options, CancellationToken cancellationToken)
{
    /// <summary>Smaller weights win nothing.</summary>
    private const int FewestElements = 1024;
    private const string Domain = "com.microsoft";

    private readonly Dictionary<string, (string Levels, string Scales)> _done = new(StringComparer.Ordinal);
    private readonly Dictionary<TensorProto, string> _names = new(ReferenceEqualityComparer.Instance);
    private readonly List<TensorProto> _added = [];
    private readonly List<ConvertedWeight> _converted = [];
    private NodeProto? _outputLayer;

    /// <summary>Changes the model in place.</summary>
    internal IReadOnlyList<ConvertedWeight> Quantize(ModelProto model)
    {
        _outputLayer = OutputLayer.Find(model.Graph);
        Quantize(model.Graph, null, overridable: model.IrVersion >= 4);
        if (_converted.Count == 0)
            return _converted;
        model.Graph.Initializer.Add(_added);
        UnusedConstants.Remove(model.Graph);
        if (!model.OpsetImport.Any(import => import.Domain == Domain))
            model.OpsetImport.Add(new OperatorSetIdProto { Domain = Domain, Version = 1 });
        return _converted;
    }

    private void Quantize(GraphProto graph, GraphScope? outer, bool overridable)
    {
        var scope = new GraphScope(graph, outer, overridable);
        var nodes = graph.Node.SelectMany(node => Replace(node, scope)).ToList();
        graph.Node.Clear();
        graph.Node.Add(nodes);
        foreach (var inner in nodes.SelectMany(Subgraphs.Of))
            Quantize(inner, scope, overridable);
    }

    private IEnumerable<NodeProto> Replace(NodeProto node, GraphScope scope) => node switch
    {
        { OpType: "MatMul", Domain: "" } when Weight(scope, node.Input[1]) is { } weight => [Product(node, weight, node.Output[0])],
        { OpType: "Gemm", Domain: "" } when GemmWeight(node, scope) is { } weight => Gemm(node, weight),
        { OpType: "Gather", Domain: "" } when Table(node, scope) is { } table => [LookUp(node, table)],
        _ => [node],
    };

    private static ConstantWeight? Weight(GraphScope scope, string name) =>
        scope.Weight(name) is { Elements: >= FewestElements } weight ? weight : null;

    private static ConstantWeight? GemmWeight(NodeProto node, GraphScope scope)
    {
        var plain = GraphScope.Float(node, "alpha", 1) == 1 && GraphScope.Float(node, "beta", 1) == 1
            && GraphScope.Int(node, "transA", 0) == 0;
        return plain && Weight(scope, node.Input[1]) is { } weight
            ? weight with { OutputsAreRows = weight.OutputsAreRows ^ (GraphScope.Int(node, "transB", 0) != 0) }
            : null;
    }

    /// <summary>Rows are whole blocks, for the look-up has no padding.</summary>
    private ConstantWeight? Table(NodeProto node, GraphScope scope) =>
        options.Embeddings && GraphScope.Int(node, "axis", 0) == 0
        && Weight(scope, node.Input[0]) is { OutputsAreRows: false } table && table.Outputs % options.BlockSize == 0
            ? table with { OutputsAreRows = true } : null;

    private IEnumerable<NodeProto> Gemm(NodeProto node, ConstantWeight weight)
    {
        if (node.Input.Count < 3 || node.Input[2].Length == 0)
            return [Product(node, weight, node.Output[0])];
        var product = Product(node, weight, $"{node.Output[0]}/product");
        return [product, new NodeProto
        {
            OpType = "Add", Name = $"{node.Name}/Add", Input = { product.Output[0], node.Input[2] }, Output = { node.Output[0] },
        }];
    }

    private NodeProto Product(NodeProto node, ConstantWeight weight, string output)
    {
        var bits = options.Target == QuantizeTarget.Int8 || (ReferenceEquals(node, _outputLayer) && options.OutputLayerBits == 8) ? 8 : 4;
        var (levels, scales) = Store(weight, bits, lookUp: false);
        return new NodeProto
        {
            OpType = "MatMulNBits", Domain = Domain, Name = node.Name, Input = { node.Input[0], levels, scales }, Output = { output },
            Attribute =
            {
                Int("K", weight.Inputs), Int("N", weight.Outputs), Int("bits", bits), Int("block_size", options.BlockSize),
                // Activations are rounded to 8 bits, row by row: the fast kernels of processors.
                Int("accuracy_level", 4),
            },
        };
    }

    private NodeProto LookUp(NodeProto node, ConstantWeight table)
    {
        var (levels, scales) = Store(table, 8, lookUp: true);
        return new NodeProto
        {
            OpType = "GatherBlockQuantized", Domain = Domain, Name = node.Name,
            Input = { levels, node.Input[1], scales }, Output = { node.Output[0] },
            Attribute = { Int("bits", 8), Int("block_size", options.BlockSize), Int("gather_axis", 0), Int("quantize_axis", 1) },
        };
    }

    private (string Levels, string Scales) Store(ConstantWeight weight, int bits, bool lookUp)
    {
        var name = Name(weight.Tensor);
        var key = $"{name}.q{bits}{(lookUp ? "_rows" : weight.OutputsAreRows ? "_t" : "")}";
        if (_done.TryGetValue(key, out var names))
            return names;
        var (matrix, error) = weight.Quantize(reader, bits, options.BlockSize, cancellationToken);
        names = (key, $"{key}_scales");
        ReadOnlySpan<long> dims = lookUp
            ? [matrix.Rows, (long)matrix.BlocksPerRow * matrix.BlockBytes] : [matrix.Rows, matrix.BlocksPerRow, matrix.BlockBytes];
        ReadOnlySpan<long> scaleDims = lookUp ? [matrix.Rows, matrix.BlocksPerRow] : [matrix.Scales.Length];
        _added.Add(writer.Tensor(names.Levels, DataType.Uint8, dims, matrix.Levels));
        _added.Add(weight.Type == DataType.Float16
            ? writer.Halves(names.Scales, scaleDims, matrix.Scales) : writer.Floats(names.Scales, scaleDims, matrix.Scales));
        _converted.Add(new ConvertedWeight(name, weight.Elements, bits, error));
        return _done[key] = names;
    }

    /// <summary>The tensor's own name, or, where it has none or another graph has used it, a new one.</summary>
    private string Name(TensorProto tensor)
    {
        if (_names.TryGetValue(tensor, out var name))
            return name;
        name = tensor.Name.Length > 0 && !_names.ContainsValue(tensor.Name) ? tensor.Name : $"weight_{_names.Count}";
        return _names[tensor] = name;
    }

    private static AttributeProto Int(string name, long value) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Int, I = value };
}
