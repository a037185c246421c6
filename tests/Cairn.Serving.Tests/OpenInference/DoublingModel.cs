using Cairn.Frameworks.Onnx.Proto;
using Google.Protobuf;

namespace Cairn.Serving.Tests.OpenInference;

/// <summary>y = x + x over floats, in one dimension of any length.</summary>
internal static class DoublingModel
{
    /// <summary>Writes it as version 1 into the folder of a model.</summary>
    public static void Write(string folder) =>
        File.WriteAllBytes(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "1")).FullName, "model.onnx"), Proto().ToByteArray());

    private static ModelProto Proto() => new()
    {
        IrVersion = 8,
        OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 17 } },
        Graph = new GraphProto
        {
            Name = "test", Node = { new NodeProto { OpType = "Add", Input = { "x", "x" }, Output = { "y" } } }, Input = { Vector("x") }, Output = { Vector("y") },
        },
    };

    private static ValueInfoProto Vector(string name) => new()
    {
        Name = name,
        Type = new TypeProto
        {
            TensorType = new TypeProto.Types.Tensor
            {
                ElemType = (int)TensorProto.Types.DataType.Float, Shape = new TensorShapeProto { Dim = { new TensorShapeProto.Types.Dimension { DimParam = "n" } } },
            },
        },
    };
}
