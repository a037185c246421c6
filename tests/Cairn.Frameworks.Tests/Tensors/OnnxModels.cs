using System.Runtime.InteropServices;
using Cairn.Frameworks.Onnx;
using Cairn.Frameworks.Onnx.Proto;
using Google.Protobuf;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;

namespace Cairn.Frameworks.Tests.Tensors;

/// <summary>Small graphs whose answers a test can work out itself.</summary>
internal static class OnnxModels
{
    /// <summary>y = x + x for any type and shape.</summary>
    public static ModelProto Double(DataType type, params object[] dims)
    {
        var model = New();
        model.Graph.Node.Add(new NodeProto { OpType = "Add", Input = { "x", "x" }, Output = { "y" } });
        model.Graph.Input.Add(Value("x", type, dims));
        model.Graph.Output.Add(Value("y", type, dims));
        return model;
    }

    /// <summary>Every output is the input of its place.</summary>
    public static ModelProto Same(params (string In, string Out, DataType Type, object[] Dims)[] tensors)
    {
        var model = New();
        foreach (var (input, output, type, dims) in tensors)
        {
            model.Graph.Node.Add(new NodeProto { OpType = "Identity", Input = { input }, Output = { output } });
            model.Graph.Input.Add(Value(input, type, dims));
            model.Graph.Output.Add(Value(output, type, dims));
        }

        return model;
    }

    /// <summary>y = x · w, x [batch, rows], w [rows, columns] with w[r, c] = r * columns + c.</summary>
    public static ModelProto MatMul(int rows, int columns)
    {
        var model = New();
        model.Graph.Initializer.Add(Floats("w", [rows, columns], [.. Enumerable.Range(0, rows * columns).Select(i => (float)i)]));
        model.Graph.Node.Add(new NodeProto { OpType = "MatMul", Input = { "x", "w" }, Output = { "y" } });
        model.Graph.Input.Add(Value("x", DataType.Float, "batch", rows));
        model.Graph.Output.Add(Value("y", DataType.Float, "batch", columns));
        return model;
    }

    /// <summary>y = log(x) by integers: a Gather into a table of squares, which fails outside 0 to 9.</summary>
    public static ModelProto SquareTable()
    {
        var model = New();
        model.Graph.Initializer.Add(Floats("table", [10], [.. Enumerable.Range(0, 10).Select(i => (float)(i * i))]));
        model.Graph.Node.Add(new NodeProto { OpType = "Gather", Input = { "table", "x" }, Output = { "y" } });
        model.Graph.Input.Add(Value("x", DataType.Int64, "batch", "n"));
        model.Graph.Output.Add(Value("y", DataType.Float, "batch", "n"));
        return model;
    }

    /// <summary>[n, 2, 3] to [2n, 3]: the answer's rows are not the request's.</summary>
    public static ModelProto TwoRowsOfEach()
    {
        var model = New();
        model.Graph.Initializer.Add(new TensorProto { Name = "shape", DataType = (int)DataType.Int64, Dims = { 2 }, Int64Data = { -1, 3 } });
        model.Graph.Node.Add(new NodeProto { OpType = "Reshape", Input = { "x", "shape" }, Output = { "y" } });
        model.Graph.Input.Add(Value("x", DataType.Float, "n", 2, 3));
        model.Graph.Output.Add(Value("y", DataType.Float, "rows", 3));
        return model;
    }

    public static ModelProto New(long opset = 17) => new()
    {
        IrVersion = 8,
        Graph = new GraphProto { Name = "test" },
        OpsetImport = { new OperatorSetIdProto { Domain = "", Version = opset } },
    };

    public static TensorProto Floats(string name, long[] dims, float[] values) => new()
    {
        Name = name, DataType = (int)DataType.Float, Dims = { dims },
        RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(values.AsSpan())),
    };

    public static ValueInfoProto Value(string name, DataType type, params object[] dims)
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

    /// <summary>Writes MODEL/VERSION/model.onnx, and config.pbtxt where there is one.</summary>
    public static string Place(this ModelProto model, string repository, string name, int version = 1, string? config = null)
    {
        var folder = Directory.CreateDirectory(Path.Combine(repository, name, version.ToString())).FullName;
        var file = Path.Combine(folder, "model.onnx");
        OnnxFile.Write(model, file);
        if (config is not null)
            File.WriteAllText(Path.Combine(repository, name, "config.pbtxt"), config);
        return file;
    }
}
