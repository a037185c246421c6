using Cairn.Frameworks.Onnx;
using Cairn.Frameworks.Onnx.Proto;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;

namespace Cairn.Frameworks.Quantizing;

/// <summary>
/// Turns a graph's floats into halves. Nodes that cannot or should not compute in halves stay in floats with casts around them. A decoder's
/// keys and values become halves; every other input and output keeps its type.
/// </summary>
internal sealed class HalfPrecision
{
    private readonly GraphProto _graph;
    private readonly TensorReader _reader;
    private readonly OnnxWriter _writer;
    private readonly HashSet<string> _isFloat;
    private readonly Dictionary<string, TensorProto> _initializers;
    private readonly HashSet<NodeProto> _staying;

    // A float value exists as a half, as a float, or as both, each under a name of its own.
    private readonly Dictionary<string, string> _half = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _float = new(StringComparer.Ordinal);
    private readonly HashSet<string> _computedFloat = new(StringComparer.Ordinal);
    private readonly List<NodeProto> _nodes = [];
    private readonly List<ConvertedWeight> _converted = [];

    private HalfPrecision(ModelProto model, TensorReader reader, OnnxWriter writer)
    {
        (_graph, _reader, _writer) = (model.Graph, reader, writer);
        _isFloat = ValueTypes.Floats(model);
        NameConstants();
        _initializers = model.Graph.Initializer.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        _staying = HalfOperators.Angles(_graph, _isFloat);
        _staying.UnionWith(HalfOperators.TurnedBatches(_graph));
        _isFloat.UnionWith(_initializers.Values.Where(tensor => TensorTypes.Type(tensor) == DataType.Float).Select(tensor => tensor.Name));
    }

    /// <summary>Changes the model in place.</summary>
    internal static IReadOnlyList<ConvertedWeight> Convert(
        ModelProto model, TensorReader reader, OnnxWriter writer, CancellationToken cancellationToken)
    {
        if (model.Graph.Node.SelectMany(Subgraphs.Of).Any() || model.Functions.Count > 0)
            throw new QuantizeException(
                "the graph has branches, loops or functions, through which halves cannot be followed; quantise to int8 or int4 instead");
        return new HalfPrecision(model, reader, writer).Convert(cancellationToken);
    }

    private List<ConvertedWeight> Convert(CancellationToken cancellationToken)
    {
        foreach (var input in _graph.Input.Where(input => _isFloat.Contains(input.Name)))
        {
            if (IsCache(input.Name))
                MakeHalf(input);
            (IsCache(input.Name) ? _half : _float)[input.Name] = input.Name;
        }
        foreach (var node in _graph.Node.ToList())
        {
            cancellationToken.ThrowIfCancellationRequested();
            Convert(node);
        }
        foreach (var output in _graph.Output.Where(output => _isFloat.Contains(output.Name)))
            Deliver(output);
        _graph.Node.Clear();
        _graph.Node.Add(_nodes);
        _graph.ValueInfo.Clear();
        UnusedConstants.Remove(_graph);
        return _converted;
    }

    /// <summary>Nodes that are constants become initializers, so that one rule does for both.</summary>
    private void NameConstants()
    {
        var others = new List<NodeProto>();
        foreach (var node in _graph.Node)
            if (node is { OpType: "Constant", Domain: "" } && Value(node.Attribute[0]) is { } tensor)
            {
                tensor.Name = node.Output[0];
                _graph.Initializer.Add(tensor);
            }
            else
                others.Add(node);
        _graph.Node.Clear();
        _graph.Node.Add(others);
    }

    private static TensorProto? Value(AttributeProto attribute) => attribute.Name switch
    {
        "value" => attribute.T,
        "value_float" => new TensorProto { DataType = (int)DataType.Float, FloatData = { attribute.F } },
        "value_floats" => new TensorProto
        {
            DataType = (int)DataType.Float, Dims = { attribute.Floats.Count }, FloatData = { attribute.Floats },
        },
        _ => null,
    };

    private static bool IsCache(string name) =>
        name.StartsWith("past_key_values.", StringComparison.Ordinal) || name.StartsWith("present.", StringComparison.Ordinal);

    private static void MakeHalf(ValueInfoProto value) => value.Type.TensorType.ElemType = (int)DataType.Float16;

    private void Convert(NodeProto node)
    {
        var stays = _staying.Contains(node) || HalfOperators.StaysFloat(node, _computedFloat, IsSmallConstant);
        for (var i = 0; i < node.Input.Count; i++)
            if (_isFloat.Contains(node.Input[i]))
                node.Input[i] = stays ? AsFloat(node.Input[i]) : AsHalf(node.Input[i]);
        if (!stays)
            HalveAttributes(node);
        _nodes.Add(node);
        for (var index = 0; index < node.Output.Count; index++)
        {
            var output = node.Output[index];
            if (!_isFloat.Contains(output))
                continue;
            var asFloat = stays || GivesFloat(node, index);
            if (stays)
                _computedFloat.Add(output);
            // The graph's outputs keep their names for the form that is delivered.
            node.Output[index] = $"{output}/{(asFloat ? "float" : "half")}";
            (asFloat ? _float : _half)[output] = node.Output[index];
        }
    }

    /// <summary>The statistics that normalisations give besides are floats whatever comes in (their stash type).</summary>
    private static bool GivesFloat(NodeProto node, int output) => node.OpType switch
    {
        "LayerNormalization" or "SimplifiedLayerNormalization" => output > 0,
        "SkipLayerNormalization" or "SkipSimplifiedLayerNormalization" => output is 1 or 2,
        _ => false,
    };

    private bool IsSmallConstant(string name) => _initializers.TryGetValue(name, out var tensor) && TensorTypes.Count(tensor) <= 1;

    private string AsFloat(string name)
    {
        if (_float.TryGetValue(name, out var known))
            return known;
        return _float[name] = _initializers.ContainsKey(name) ? name : Cast(name, _half[name], DataType.Float);
    }

    private string AsHalf(string name)
    {
        if (_half.TryGetValue(name, out var known))
            return known;
        return _half[name] = _initializers.TryGetValue(name, out var tensor) ? Halved(tensor) : Cast(name, _float[name], DataType.Float16);
    }

    private string Cast(string name, string from, DataType type)
    {
        var to = $"{name}/{(type == DataType.Float ? "float" : "half")}";
        _nodes.Add(new NodeProto
        {
            OpType = "Cast", Name = $"{to}/Cast", Input = { from }, Output = { to },
            Attribute = { new AttributeProto { Name = "to", Type = AttributeProto.Types.AttributeType.Int, I = (long)type } },
        });
        return to;
    }

    private void Deliver(ValueInfoProto output)
    {
        var half = IsCache(output.Name);
        if (half)
            MakeHalf(output);
        var from = half ? AsHalf(output.Name) : AsFloat(output.Name);
        if (_nodes.FirstOrDefault(node => node.Output.Contains(from)) is not { } producer)
            _nodes.Add(new NodeProto { OpType = "Identity", Input = { from }, Output = { output.Name } });
        else
            Rename(producer, from, output.Name);
    }

    /// <summary>Lets the producer give the delivered name, and everyone else read that.</summary>
    private void Rename(NodeProto producer, string from, string to)
    {
        producer.Output[producer.Output.IndexOf(from)] = to;
        foreach (var node in _nodes)
            for (var i = 0; i < node.Input.Count; i++)
                if (node.Input[i] == from)
                    node.Input[i] = to;
    }

    private string Halved(TensorProto tensor)
    {
        var (half, error) = Halves.From(tensor, $"{tensor.Name}/half", _reader, _writer);
        _graph.Initializer.Add(half);
        if (TensorTypes.Count(tensor) > 1)
            _converted.Add(new ConvertedWeight(tensor.Name, TensorTypes.Count(tensor), 16, error));
        return half.Name;
    }

    /// <summary>Constants, types to cast to and types to make, inside the node.</summary>
    private void HalveAttributes(NodeProto node)
    {
        foreach (var attribute in node.Attribute)
        {
            if (attribute.T is { } tensor && TensorTypes.Type(tensor) == DataType.Float)
                attribute.T = Halves.Inline(tensor, _reader);
            else if (node.OpType == "Cast" && attribute is { Name: "to", I: (long)DataType.Float })
                attribute.I = (long)DataType.Float16;
        }
    }
}
