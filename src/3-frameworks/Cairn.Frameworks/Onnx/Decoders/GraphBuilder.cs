using System.Runtime.InteropServices;
using Cairn.Frameworks.Onnx.Proto;
using Cairn.Frameworks.Quantizing;
using Google.Protobuf;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;

namespace Cairn.Frameworks.Onnx.Decoders;

/// <summary>Adds nodes and initializers to a graph. A node's output has the node's name.</summary>
internal sealed class GraphBuilder(OnnxWriter writer, DecoderPrecision precision)
{
    private const int BlockSize = 32;
    private static readonly HashSet<string> Contributed = ["GroupQueryAttention", "MatMulNBits", "SkipSimplifiedLayerNormalization"];
    private readonly HashSet<string> _constants = new(StringComparer.Ordinal);

    internal GraphProto Graph { get; } = new() { Name = "decoder" };

    /// <summary>The element type of activations, keys and values.</summary>
    internal DataType Activations => precision == DecoderPrecision.Float16 ? DataType.Float16 : DataType.Float;

    internal string Node(string op, string name, string[] inputs, params AttributeProto[] attributes) =>
        Nodes(op, name, inputs, [name], attributes)[0];

    internal string[] Nodes(string op, string name, string[] inputs, string[] outputs, params AttributeProto[] attributes)
    {
        Graph.Node.Add(new NodeProto
        {
            OpType = op, Name = name, Input = { inputs }, Output = { outputs }, Attribute = { attributes },
            Domain = Contributed.Contains(op) ? "com.microsoft" : "",
        });
        return outputs;
    }

    internal static AttributeProto Int(string name, long value) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Int, I = value };

    internal static AttributeProto Ints(string name, params long[] values) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Ints, Ints = { values } };

    internal static AttributeProto Float(string name, float value) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Float, F = value };

    internal static AttributeProto To(DataType type) => Int("to", (long)type);

    /// <summary>An int64 vector; the same values share one initializer.</summary>
    internal string Vector(params long[] values) => Constant($"vector_{string.Join('_', values)}", [values.Length], values);

    internal string Scalar(long value) => Constant($"scalar_{value}", [], [value]);

    /// <summary>The value of an input that need not be given: an initializer of the input's name (ONNX IR 4 and later).</summary>
    internal string Default(string input, long value) => Constant(input, [], [value]);

    private string Constant(string name, long[] dims, long[] values)
    {
        if (_constants.Add(name))
            Graph.Initializer.Add(writer.Longs(name, dims, values));
        return name;
    }

    /// <summary>A float initializer in the type of the activations.</summary>
    internal string Values(string name, float[] values, params long[] dims)
    {
        Graph.Initializer.Add(precision == DecoderPrecision.Float16
            ? writer.Halves(name, dims, values) : writer.Floats(name, dims, values));
        return name;
    }

    /// <summary>input × weightᵀ, the weight [outputs, inputs] stored as the precision says.</summary>
    internal string Linear(string name, string input, float[] weight, int outputs, int inputs)
    {
        if (precision is DecoderPrecision.Float32 or DecoderPrecision.Float16)
            return Node("MatMul", $"{name}/MatMul",
                [input, Values($"{name}.weight", Transposed(weight, outputs, inputs), inputs, outputs)]);
        var bits = precision == DecoderPrecision.Int4 ? 4 : 8;
        var matrix = QuantizedMatrix.From(weight, outputs, inputs, bits, BlockSize);
        Graph.Initializer.Add(writer.Tensor(
            $"{name}.qweight", DataType.Uint8, [outputs, matrix.BlocksPerRow, matrix.BlockBytes], matrix.Levels));
        Graph.Initializer.Add(writer.Floats($"{name}.scales", [matrix.Scales.Length], matrix.Scales));
        return Node("MatMulNBits", $"{name}/MatMulNBits", [input, $"{name}.qweight", $"{name}.scales"],
            Int("K", inputs), Int("N", outputs), Int("bits", bits), Int("block_size", BlockSize), Int("accuracy_level", 4));
    }

    internal void Input(string name, DataType type, params object[] dims) => Graph.Input.Add(Value(name, type, dims));

    internal void Output(string name, DataType type, params object[] dims) => Graph.Output.Add(Value(name, type, dims));

    private static ValueInfoProto Value(string name, DataType type, object[] dims)
    {
        var shape = new TensorShapeProto();
        foreach (var dim in dims)
            shape.Dim.Add(dim is string symbol
                ? new TensorShapeProto.Types.Dimension { DimParam = symbol }
                : new TensorShapeProto.Types.Dimension { DimValue = (int)dim });
        return new ValueInfoProto
        {
            Name = name, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = shape } },
        };
    }

    private static float[] Transposed(float[] values, int rows, int columns)
    {
        var result = new float[values.LongLength];
        Parallel.For(0, columns, column =>
        {
            for (var row = 0; row < rows; row++)
                result[((long)column * rows) + row] = values[((long)row * columns) + column];
        });
        return result;
    }
}
