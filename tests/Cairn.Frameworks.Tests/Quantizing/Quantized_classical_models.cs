using Cairn.Frameworks.Onnx;
using Cairn.Frameworks.Onnx.Proto;
using Cairn.Frameworks.Quantizing;
using Cairn.Frameworks.Tests.Onnx;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;

namespace Cairn.Frameworks.Tests.Quantizing;

public sealed class Quantized_classical_models
{
    [Theory]
    [InlineData(QuantizeTarget.Int8, 0.02)]
    [InlineData(QuantizeTarget.Int4, 0.2)]
    [InlineData(QuantizeTarget.Float16, 0.002)]
    public void Products_with_bias_and_transposition_are_quantised_in_a_single_file(QuantizeTarget target, double error)
    {
        using var folder = new ModelFolder();
        Write(folder.File("mlp.onnx"), transposed: true, irVersion: 8);

        var report = Quantize(folder, target);

        Assert.NotNull(report.Outputs);
        Assert.InRange(report.Outputs.RelativeError, 1e-6, error);
        Assert.InRange(report.Outputs.Cosine, 1 - (error * error), 1);
        Assert.Equal(2, report.Converted.Count(weight => weight.Elements > 1024));
        Assert.Equal(["mlp.onnx", "small.onnx"], Directory.EnumerateFileSystemEntries(folder.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Weights_that_old_files_list_as_inputs_are_constants_all_the_same()
    {
        using var folder = new ModelFolder();
        Write(folder.File("mlp.onnx"), transposed: false, irVersion: 3);

        var report = Quantize(folder, QuantizeTarget.Int8);

        Assert.Equal(2, report.Converted.Count);
        Assert.InRange(report.Outputs!.RelativeError, 1e-6, 0.02);
    }

    [Fact]
    public void A_model_without_products_is_refused()
    {
        using var folder = new ModelFolder();
        var model = Model(8, [new NodeProto { OpType = "Relu", Input = { "x" }, Output = { "y" } }]);
        OnnxFile.Write(model, folder.File("mlp.onnx"));

        var error = Assert.Throws<QuantizeException>(() => Quantize(folder, QuantizeTarget.Int8));

        Assert.Contains("no weight that can be quantised: its operators are 1 × Relu", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(folder.File("small.onnx")));
    }

    [Fact]
    public void Weights_that_are_not_finite_are_refused()
    {
        using var folder = new ModelFolder();
        Write(folder.File("mlp.onnx"), transposed: true, irVersion: 8, spoiled: float.NaN);

        var error = Assert.Throws<QuantizeException>(() => Quantize(folder, QuantizeTarget.Int4));

        Assert.Contains("not finite", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_mean_of_squares_that_overflows_in_halves_stays_in_floats()
    {
        using var folder = new ModelFolder();
        using var writer = new OnnxWriter(folder.File("mlp.onnx"), long.MaxValue);
        var model = Model(8,
        [
            new NodeProto { OpType = "Mul", Input = { "x", "large" }, Output = { "scaled" } },
            new NodeProto { OpType = "Pow", Input = { "scaled", "two" }, Output = { "squares" } },
            new NodeProto { OpType = "ReduceMean", Input = { "squares" }, Output = { "mean" } },
            new NodeProto { OpType = "Add", Input = { "mean", "epsilon" }, Output = { "more" } },
            new NodeProto { OpType = "Sqrt", Input = { "more" }, Output = { "root" } },
            new NodeProto { OpType = "Div", Input = { "scaled", "root" }, Output = { "y" } },
        ]);
        model.Graph.Initializer.Add(
            [writer.Floats("large", [1], [2000]), writer.Floats("two", [], [2]), writer.Floats("epsilon", [], [1e-12f])]);
        model.Graph.Initializer.Add(writer.Floats("w", [64, 64], new float[4096]));
        model.Graph.Node.Add(new NodeProto { OpType = "MatMul", Input = { "x", "w" }, Output = { "z" } });
        writer.Finish(model);

        var report = Quantize(folder, QuantizeTarget.Float16);

        Assert.InRange(report.Outputs!.RelativeError, 0, 0.002);
    }

    [Fact]
    public void A_product_behind_a_turned_batch_loads_in_halves()
    {
        using var folder = new ModelFolder();
        using var writer = new OnnxWriter(folder.File("mlp.onnx"), long.MaxValue);
        var model = Model(8,
        [
            new NodeProto { OpType = "Unsqueeze", Input = { "x", "axis" }, Output = { "sequence" } },
            new NodeProto
            {
                OpType = "LSTM", Input = { "sequence", "w", "r" }, Output = { "all" },
                Attribute = { new AttributeProto { Name = "hidden_size", Type = AttributeProto.Types.AttributeType.Int, I = 64 } },
            },
            new NodeProto { OpType = "Squeeze", Input = { "all", "directions" }, Output = { "states" } },
            new NodeProto
            {
                OpType = "Transpose", Input = { "states" }, Output = { "turned" },
                Attribute = { new AttributeProto { Name = "perm", Type = AttributeProto.Types.AttributeType.Ints, Ints = { 1, 0, 2 } } },
            },
            new NodeProto { OpType = "MatMul", Input = { "turned", "o" }, Output = { "products" } },
            new NodeProto { OpType = "Squeeze", Input = { "products", "directions" }, Output = { "y" } },
        ]);
        float[] Waves(int count) => [.. Enumerable.Range(0, count).Select(index => MathF.Sin(index) / 8)];
        model.Graph.Initializer.Add([writer.Longs("axis", [1], 0), writer.Longs("directions", [1], 1)]);
        model.Graph.Initializer.Add(writer.Floats("w", [1, 256, 64], Waves(256 * 64)));
        model.Graph.Initializer.Add(writer.Floats("r", [1, 256, 64], Waves(256 * 64)));
        model.Graph.Initializer.Add(writer.Floats("o", [64, 64], Waves(64 * 64)));
        writer.Finish(model);

        var report = Quantize(folder, QuantizeTarget.Float16);

        Assert.Equal(["o"], report.Kept);
        Assert.InRange(report.Outputs!.RelativeError, 1e-7, 0.002);
    }

    private static QuantizeReport Quantize(ModelFolder folder, QuantizeTarget target) => ModelQuantizer.Quantize(
        folder.File("mlp.onnx"), folder.File("small.onnx"), new QuantizeOptions { Target = target }, TimeProvider.System, null,
            CancellationToken.None);

    /// <summary>x → Gemm with bias → Relu → MatMul → y, with inputs of 64 and 100 numbers, which no block divides evenly.</summary>
    private static void Write(string path, bool transposed, long irVersion, float spoiled = 0)
    {
        using var writer = new OnnxWriter(path, long.MaxValue);
        var random = new Random(4);
        float[] Weights(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5))];
        var first = Weights(6400);
        first[17] += spoiled;
        var model = Model(irVersion,
        [
            new NodeProto
            {
                OpType = "Gemm", Input = { "x", "w1", "b1" }, Output = { "h" },
                Attribute =
                {
                    new AttributeProto { Name = "transB", Type = AttributeProto.Types.AttributeType.Int, I = transposed ? 1 : 0 },
                },
            },
            new NodeProto { OpType = "Relu", Input = { "h" }, Output = { "r" } },
            new NodeProto { OpType = "MatMul", Input = { "r", "w2" }, Output = { "y" } },
        ]);
        model.Graph.Initializer.Add(writer.Floats("w1", transposed ? [100, 64] : [64, 100], first));
        model.Graph.Initializer.Add(writer.Floats("b1", [100], Weights(100)));
        model.Graph.Initializer.Add(writer.Floats("w2", [100, 64], Weights(6400)));
        if (irVersion < 4)
            model.Graph.Input.Add(model.Graph.Initializer.Select(tensor => Value(tensor.Name, [.. tensor.Dims])));
        writer.Finish(model);
    }

    private static ModelProto Model(long irVersion, NodeProto[] nodes)
    {
        var graph = new GraphProto { Name = "g", Node = { nodes }, Input = { Value("x", [-1, 64]) }, Output = { Value("y", [-1, 64]) } };
        return new ModelProto
        {
            IrVersion = irVersion, OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 13 } }, Graph = graph,
        };
    }

    private static ValueInfoProto Value(string name, long[] dims)
    {
        var shape = new TensorShapeProto();
        foreach (var dim in dims)
            shape.Dim.Add(dim < 0
                ? new TensorShapeProto.Types.Dimension { DimParam = "n" } : new TensorShapeProto.Types.Dimension { DimValue = dim });
        return new ValueInfoProto
        {
            Name = name, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)DataType.Float, Shape = shape } },
        };
    }
}
