using Cairn.Frameworks.Onnx.Proto;
using AttributeType = Cairn.Frameworks.Onnx.Proto.AttributeProto.Types.AttributeType;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;

namespace Cairn.Frameworks.Tests.Tensors;

/// <summary>Random forests of full binary trees as ai.onnx.ml's TreeEnsembleRegressor, and the same forest walked in C#.</summary>
internal sealed class TreeModels
{
    private readonly int _trees;
    private readonly int _depth;
    private readonly int[] _features;
    private readonly float[] _thresholds;
    private readonly float[] _leaves;

    public TreeModels(int trees, int depth, int features, int seed)
    {
        (_trees, _depth) = (trees, depth);
        var random = new Random(seed);
        var inner = (1 << depth) - 1;
        _features = [.. Enumerable.Range(0, trees * inner).Select(_ => random.Next(features))];
        _thresholds = [.. Enumerable.Range(0, trees * inner).Select(_ => random.NextSingle())];
        // Sixteenths add up exactly in any order.
        _leaves = [.. Enumerable.Range(0, trees << depth).Select(_ => random.Next(-64, 64) / 16f)];
        Model = Build(features);
    }

    public ModelProto Model { get; }

    public float Answer(ReadOnlySpan<float> row)
    {
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
        model.Graph.Node.Add(new NodeProto
        {
            OpType = "TreeEnsembleRegressor", Domain = "ai.onnx.ml", Input = { "features" }, Output = { "score" },
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

    private static AttributeProto Ints(string name, IEnumerable<long> values) => new() { Name = name, Type = AttributeType.Ints, Ints = { values } };

    private static AttributeProto Floats(string name, IEnumerable<float> values) => new() { Name = name, Type = AttributeType.Floats, Floats = { values } };

    private static AttributeProto Strings(string name, IEnumerable<string> values) =>
        new() { Name = name, Type = AttributeType.Strings, Strings = { values.Select(Google.Protobuf.ByteString.CopyFromUtf8) } };
}
