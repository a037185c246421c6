using Cairn.Frameworks.Onnx.Proto;

namespace Cairn.Frameworks.Quantizing;

/// <summary>Graphs inside a node's attributes: branches and loop bodies.</summary>
internal static class Subgraphs
{
    internal static IEnumerable<GraphProto> Of(AttributeProto attribute) =>
        attribute.G is { } graph ? [graph, .. attribute.Graphs] : attribute.Graphs;

    internal static IEnumerable<GraphProto> Of(NodeProto node) => node.Attribute.SelectMany(Of);
}

/// <summary>Finds the product that makes a language model's logits.</summary>
internal static class OutputLayer
{
    private static readonly HashSet<string> Passing =
        ["Identity", "Cast", "Add", "Mul", "Div", "Tanh", "Slice", "Squeeze", "Reshape", "Where"];

    internal static NodeProto? Find(GraphProto graph)
    {
        var producers = new Dictionary<string, NodeProto>(StringComparer.Ordinal);
        foreach (var node in graph.Node)
            foreach (var output in node.Output)
                producers[output] = node;
        var name = graph.Output.Any(output => output.Name == "logits") ? "logits" : "";
        for (var steps = 0; steps < 8 && producers.GetValueOrDefault(name) is { } node; steps++)
        {
            if (node.OpType is "MatMul" or "Gemm")
                return node;
            if (!Passing.Contains(node.OpType))
                return null;
            name = node.Input.FirstOrDefault(producers.ContainsKey) ?? "";
        }
        return null;
    }
}

/// <summary>Removes constants that nothing names any more, and the nodes that only turned or cast them.</summary>
internal static class UnusedConstants
{
    private static readonly HashSet<string> Turning = ["Constant", "Transpose", "Cast", "Identity"];

    internal static void Remove(GraphProto graph)
    {
        while (true)
        {
            var used = new HashSet<string>(StringComparer.Ordinal);
            AddUses(graph, used);
            var nodes = graph.Node.Where(node => !Turning.Contains(node.OpType) || node.Output.Any(used.Contains)).ToList();
            var tensors = graph.Initializer.Where(tensor => used.Contains(tensor.Name)).ToList();
            foreach (var inner in graph.Node.SelectMany(Subgraphs.Of))
                Remove(inner);
            if (nodes.Count == graph.Node.Count && tensors.Count == graph.Initializer.Count)
                return;
            graph.Node.Clear();
            graph.Node.Add(nodes);
            graph.Initializer.Clear();
            graph.Initializer.Add(tensors);
        }
    }

    private static void AddUses(GraphProto graph, HashSet<string> used)
    {
        used.UnionWith(graph.Output.Select(output => output.Name));
        used.UnionWith(graph.SparseInitializer.Select(tensor => tensor.Values.Name));
        foreach (var node in graph.Node)
        {
            used.UnionWith(node.Input);
            foreach (var inner in Subgraphs.Of(node))
                AddUses(inner, used);
        }
    }
}
