using Cairn.Frameworks.Onnx;
using Cairn.Frameworks.Onnx.Proto;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Cairn.Frameworks.Quantizing;

/// <summary>Finds which values of a graph are floats, by asking the runtime, whose type inference is the one that counts.</summary>
internal static class ValueTypes
{
    /// <summary>Larger initializers are declared as inputs: their values do not matter for types.</summary>
    private const int LargestKept = 4096;

    /// <exception cref="QuantizeException">The runtime does not load the graph.</exception>
    internal static HashSet<string> Floats(ModelProto model)
    {
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        try
        {
            using var session = new InferenceSession(Probe(model).ToByteArray(), options);
            return session.InputMetadata.Concat(session.OutputMetadata)
                .Where(value => value.Value is { IsTensor: true, ElementDataType: TensorElementType.Float })
                .Select(value => value.Key).ToHashSet(StringComparer.Ordinal);
        }
        catch (OnnxRuntimeException error)
        {
            throw new QuantizeException($"the runtime does not load the graph: {error.Message}", error);
        }
    }

    /// <summary>The graph with every value as an output, and without its large weights.</summary>
    private static ModelProto Probe(ModelProto model)
    {
        var probe = model.Clone();
        var graph = probe.Graph;
        var inputs = graph.Input.Select(input => input.Name).ToHashSet(StringComparer.Ordinal);
        var bySize = graph.Initializer.ToLookup(tensor => ExternalData.Holds(tensor) || tensor.CalculateSize() > LargestKept);
        foreach (var tensor in bySize[true].Where(tensor => inputs.Add(tensor.Name)))
            graph.Input.Add(Declare(tensor));
        var small = bySize[false].ToList();
        graph.Initializer.Clear();
        graph.Initializer.Add(small);
        var outputs = graph.Output.Select(output => output.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var name in graph.Node.SelectMany(node => node.Output).Where(name => name.Length > 0 && outputs.Add(name)))
            graph.Output.Add(new ValueInfoProto { Name = name });
        return probe;
    }

    private static ValueInfoProto Declare(TensorProto tensor) => new()
    {
        Name = tensor.Name,
        Type = new TypeProto
        {
            TensorType = new TypeProto.Types.Tensor
            {
                ElemType = tensor.DataType,
                Shape = new TensorShapeProto
                {
                    Dim = { tensor.Dims.Select(dim => new TensorShapeProto.Types.Dimension { DimValue = dim }) },
                },
            },
        },
    };
}
