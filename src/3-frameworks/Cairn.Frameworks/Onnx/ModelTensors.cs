using Cairn.Frameworks.Onnx.Proto;

namespace Cairn.Frameworks.Onnx;

/// <summary>Finds every tensor of a model: initializers, sparse ones, and those in attributes, of subgraphs and functions too.</summary>
internal static class ModelTensors
{
    internal static IEnumerable<TensorProto> Of(ModelProto model)
    {
        var graphs = new List<GraphProto?> { model.Graph };
        graphs.AddRange(model.TrainingInfo.SelectMany(info => new[] { info.Initialization, info.Algorithm }));
        return graphs.OfType<GraphProto>().SelectMany(Of)
            .Concat(model.Functions.SelectMany(function => function.Node).SelectMany(Of));
    }

    private static IEnumerable<TensorProto> Of(GraphProto graph) =>
        graph.Initializer.Concat(graph.SparseInitializer.SelectMany(Of)).Concat(graph.Node.SelectMany(Of));

    private static IEnumerable<TensorProto> Of(NodeProto node) => node.Attribute.SelectMany(Of);

    private static IEnumerable<TensorProto> Of(AttributeProto attribute)
    {
        IEnumerable<TensorProto> own = attribute.T is { } tensor ? [tensor, .. attribute.Tensors] : attribute.Tensors;
        IEnumerable<SparseTensorProto> sparse =
            attribute.SparseTensor is { } one ? [one, .. attribute.SparseTensors] : attribute.SparseTensors;
        IEnumerable<GraphProto> graphs = attribute.G is { } graph ? [graph, .. attribute.Graphs] : attribute.Graphs;
        return own.Concat(sparse.SelectMany(Of)).Concat(graphs.SelectMany(Of));
    }

    private static IEnumerable<TensorProto> Of(SparseTensorProto sparse) =>
        new[] { sparse.Values, sparse.Indices }.OfType<TensorProto>();
}
