using Cairn.Frameworks.Onnx.Proto;
using AttributeType = Cairn.Frameworks.Onnx.Proto.AttributeProto.Types.AttributeType;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;

namespace Cairn.Frameworks.Tests.Tensors;

/// <summary>
/// Random forests of full binary trees as ai.onnx.ml's TreeEnsembleRegressor, and the same forest walked in C#. With preprocessing each
/// column
/// is imputed, clipped and scaled by operators of its own, as exporters write a pipeline over columns.
/// </summary>
internal sealed class TreeModels
{
    private readonly int _trees;
    private readonly int _depth;
    private readonly int[] _features;
    private readonly float[] _thresholds;
    private readonly float[] _leaves;
    private readonly bool _prepares;

    public TreeModels(int trees, int depth, int features, int seed, bool prepares = false)
    {
        (_trees, _depth, _prepares) = (trees, depth, prepares);
        var random = new Random(seed);
        var inner = (1 << depth) - 1;
        _features = [.. Enumerable.Range(0, trees * inner).Select(_ => random.Next(features))];
        _thresholds = [.. Enumerable.Range(0, trees * inner).Select(_ => random.NextSingle())];
        // Sixteenths add up exactly in any order.
        _leaves = [.. Enumerable.Range(0, trees << depth).Select(_ => random.Next(-64, 64) / 16f)];
        Model = Build(features);
    }

    public ModelProto Model { get; }

    public float Answer(ReadOnlySpan<float> given)
    {
        var row = given.ToArray();
        for (var column = 0; _prepares && column < row.Length; column++)
            row[column] = (Math.Clamp(float.IsNaN(row[column]) ? Mean(column) : row[column], 0.05f, 0.95f) - Mean(column)) / Scale(column);
        var inner = (1 << _depth) - 1;
        var sum = 0f;
        for (var tree = 0; tree < _trees; tree++)
        {
            var node = 0;
            while (node < inner)
                node = row[_features[(tree * inner) + node]] <= _thresholds[(tree * inner) + node] ? (2 * node) + 1 : (2 * node) + 2;
            sum += _leaves[(tree << _depth) + node - inner];
        }

        return sum;
    }

    private ModelProto Build(int features)
    {
        var inner = (1 << _depth) - 1;
        var all = inner + (1 << _depth);
        var nodes = Enumerable.Range(0, _trees).SelectMany(tree => Enumerable.Range(0, all).Select(node => (Tree: tree, Node: node))).ToList();
        var leaves = nodes.Where(at => at.Node >= inner).ToList();
        var model = OnnxModels.New();
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "ai.onnx.ml", Version = 3 });
        if (_prepares)
            Prepare(model.Graph, features);
        model.Graph.Node.Add(new NodeProto
        {
            OpType = "TreeEnsembleRegressor", Domain = "ai.onnx.ml", Input = { _prepares ? "prepared" : "features" }, Output = { "score" },
            Attribute =
            {
                new AttributeProto { Name = "n_targets", Type = AttributeType.Int, I = 1 },
                Ints("nodes_treeids", nodes.Select(at => (long)at.Tree)),
                Ints("nodes_nodeids", nodes.Select(at => (long)at.Node)),
                Ints("nodes_featureids", nodes.Select(at => at.Node < inner ? _features[(at.Tree * inner) + at.Node] : 0L)),
                Floats("nodes_values", nodes.Select(at => at.Node < inner ? _thresholds[(at.Tree * inner) + at.Node] : 0f)),
                Strings("nodes_modes", nodes.Select(at => at.Node < inner ? "BRANCH_LEQ" : "LEAF")),
                Ints("nodes_truenodeids", nodes.Select(at => at.Node < inner ? (2L * at.Node) + 1 : 0L)),
                Ints("nodes_falsenodeids", nodes.Select(at => at.Node < inner ? (2L * at.Node) + 2 : 0L)),
                Ints("target_treeids", leaves.Select(at => (long)at.Tree)),
                Ints("target_nodeids", leaves.Select(at => (long)at.Node)),
                Ints("target_ids", leaves.Select(_ => 0L)),
                Floats("target_weights", leaves.Select(at => _leaves[(at.Tree << _depth) + at.Node - inner])),
            },
        });
        model.Graph.Input.Add(OnnxModels.Value("features", DataType.Float, "batch", features));
        model.Graph.Output.Add(OnnxModels.Value("score", DataType.Float, "batch", 1));
        return model;
    }

    private static float Mean(int column) => (column + 1) / 32f;

    private static float Scale(int column) => (column + 8) / 16f;

    private static void Prepare(GraphProto graph, int features)
    {
        graph.Initializer.Add(new TensorProto
        {
            Name = "ones", DataType = (int)DataType.Int64, Dims = { features }, Int64Data = { Enumerable.Repeat(1L, features) },
        });
        graph.Initializer.Add(OnnxModels.Floats("least", [], [0.05f]));
        graph.Initializer.Add(OnnxModels.Floats("most", [], [0.95f]));
        var split = Node("Split", ["features", "ones"], [.. Enumerable.Range(0, features).Select(column => $"c{column}")]);
        split.Attribute.Add(new AttributeProto { Name = "axis", Type = AttributeType.Int, I = 1 });
        for (var c = 0; c < features; c++)
        {
            graph.Initializer.Add(OnnxModels.Floats($"mean{c}", [], [Mean(c)]));
            graph.Initializer.Add(OnnxModels.Floats($"scale{c}", [], [Scale(c)]));
            Node("IsNaN", [$"c{c}"], [$"missing{c}"]);
            Node("Where", [$"missing{c}", $"mean{c}", $"c{c}"], [$"filled{c}"]);
            Node("Clip", [$"filled{c}", "least", "most"], [$"clipped{c}"]);
            Node("Sub", [$"clipped{c}", $"mean{c}"], [$"centred{c}"]);
            Node("Div", [$"centred{c}", $"scale{c}"], [$"scaled{c}"]);
        }

        var whole = Node("Concat", [.. Enumerable.Range(0, features).Select(column => $"scaled{column}")], ["prepared"]);
        whole.Attribute.Add(new AttributeProto { Name = "axis", Type = AttributeType.Int, I = 1 });

        NodeProto Node(string op, string[] inputs, string[] outputs)
        {
            graph.Node.Add(new NodeProto { OpType = op, Input = { inputs }, Output = { outputs } });
            return graph.Node[^1];
        }
    }

    private static AttributeProto Ints(string name, IEnumerable<long> values) => new() { Name = name, Type = AttributeType.Ints, Ints = { values } };

    private static AttributeProto Floats(string name, IEnumerable<float> values) => new() { Name = name, Type = AttributeType.Floats, Floats = { values } };

    private static AttributeProto Strings(string name, IEnumerable<string> values) =>
        new() { Name = name, Type = AttributeType.Strings, Strings = { values.Select(Google.Protobuf.ByteString.CopyFromUtf8) } };
}
