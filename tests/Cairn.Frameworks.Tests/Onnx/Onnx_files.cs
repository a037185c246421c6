using System.Text;
using Cairn.Frameworks.Onnx;
using Cairn.Frameworks.Onnx.Proto;
using Google.Protobuf;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;

namespace Cairn.Frameworks.Tests.Onnx;

public sealed class Onnx_files
{
    [Fact]
    public void A_field_of_a_later_schema_is_kept()
    {
        using var folder = new ModelFolder();
        var path = folder.File("m.onnx");
        // Field 4000, length-delimited, three bytes: a tag of 32002 is the varint 0x82 0xFA 0x01.
        byte[] unknown = [0x82, 0xFA, 0x01, 0x03, .. "new"u8];
        File.WriteAllBytes(path, [.. Model([1, 2]).ToByteArray(), .. unknown]);

        OnnxFile.Write(OnnxFile.Read(path), folder.File("again.onnx"));

        Assert.Contains("new", Encoding.Latin1.GetString(File.ReadAllBytes(folder.File("again.onnx"))), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        using var folder = new ModelFolder();
        using var writer = new OnnxWriter(folder.File("m.onnx"), insideUpTo: 8);
        var model = Model([]);
        model.Graph.Initializer.Add(writer.Floats("small", [2], [1, 2]));
        model.Graph.Initializer.Add(writer.Floats("first", [3], [1, 2, 3]));
        model.Graph.Initializer.Add(writer.Halves("second", [2, 3], [1, 2, 3, 4, 5, 6.5f]));
        writer.Finish(model);
        writer.Dispose();

        var read = OnnxFile.Read(folder.File("m.onnx"));
        OnnxFile.CheckExternalData(read, folder.File("m.onnx"));
        using var reader = new TensorReader(folder.File("m.onnx"));
        var values = new float[3];
        reader.ReadFloats(read.Graph.Initializer[3], 3, values);

        Assert.Equal([4, 5, 6.5f], values);
        Assert.False(ExternalData.Holds(read.Graph.Initializer[1]));
        Assert.True(ExternalData.Holds(read.Graph.Initializer[2]));
        Assert.Equal("4096", read.Graph.Initializer[3].ExternalData.Single(entry => entry.Key == "offset").Value);
    }

    [Fact]
    public void Values_in_typed_fields_are_read_like_raw_ones()
    {
        using var reader = new TensorReader("m.onnx");
        var floats = new TensorProto { DataType = (int)DataType.Float, Dims = { 2 }, FloatData = { 1.5f, -2 } };
        var halves = new TensorProto { DataType = (int)DataType.Float16, Dims = { 1 }, Int32Data = { 0x3E00 } };
        var brains = new TensorProto { DataType = (int)DataType.Bfloat16, Dims = { 1 }, RawData = ByteString.CopyFrom(0xC0, 0x3F) };
        var two = new float[2];
        var (one, other) = (new float[1], new float[1]);

        reader.ReadFloats(floats, 0, two);
        reader.ReadFloats(halves, 0, one);
        reader.ReadFloats(brains, 0, other);

        Assert.Equal([1.5f, -2], two);
        Assert.Equal([1.5f], one);
        Assert.Equal([1.5f], other);
    }

    [Theory]
    [InlineData("../secret")]
    [InlineData("a/../../secret")]
    [InlineData("/etc/passwd")]
    [InlineData("..\\secret")]
    [InlineData("a\0b")]
    [InlineData("")]
    public void Data_outside_the_folder_is_refused(string location)
    {
        using var folder = new ModelFolder();
        Directory.CreateDirectory(folder.File("in"));
        File.WriteAllBytes(folder.File("secret"), new byte[100]);

        var error = Assert.Throws<OnnxFormatException>(() => OnnxFile.CheckExternalData(External(location), folder.File("in/m.onnx")));

        Assert.Contains("tensor 'w'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0", "16", 15, "needs bytes 0 to 16 of 'w.data', which has 15")]
    [InlineData("8", "16", 20, "needs bytes 8 to 24 of 'w.data', which has 20")]
    [InlineData("9223372036854775807", "16", 20, "which has 20")]
    [InlineData("0", "12", 20, "has 12 bytes in 'w.data'; expected 16")]
    [InlineData("-1", "16", 20, "offset '-1'")]
    [InlineData("0", "many", 20, "length 'many'")]
    [InlineData("0", "16", -1, "'w.data', which is missing")]
    public void Missing_or_short_data_is_named_with_file_tensor_and_bytes(string offset, string length, int size, string expected)
    {
        using var folder = new ModelFolder();
        if (size >= 0)
            File.WriteAllBytes(folder.File("w.data"), new byte[size]);

        var error = Assert.Throws<OnnxFormatException>(
            () => OnnxFile.CheckExternalData(External("w.data", offset, length), folder.File("m.onnx")));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("m.onnx: tensor 'w'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_is_checked_in_subgraphs_attributes_and_functions_too()
    {
        var tensor = External("w.data").Graph.Initializer[0];
        var inner = new GraphProto { Node = { new NodeProto { Attribute = { new AttributeProto { Name = "value", T = tensor } } } } };
        var model = Model([]);
        model.Graph.Node.Add(new NodeProto { Attribute = { new AttributeProto { Name = "then_branch", G = inner } } });
        model.Functions.Add(new FunctionProto { Node = { new NodeProto { Attribute = { new AttributeProto { Tensors = { tensor } } } } } });
        model.Graph.SparseInitializer.Add(new SparseTensorProto { Values = tensor });

        Assert.Equal(3, ModelTensors.Of(model).Count(ExternalData.Holds));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(-1)]
    public void A_file_cut_short_is_no_model(int length)
    {
        using var folder = new ModelFolder();
        var whole = Model([1, 2, 3]).ToByteArray();
        File.WriteAllBytes(folder.File("m.onnx"), whole.AsSpan(0, length < 0 ? whole.Length + length : length));

        var error = Assert.Throws<OnnxFormatException>(() => OnnxFile.Read(folder.File("m.onnx")));

        Assert.StartsWith(folder.File("m.onnx"), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_shape_that_overflows_is_refused()
    {
        var model = External("w.data");
        model.Graph.Initializer[0].Dims.Add([long.MaxValue, long.MaxValue]);

        var error = Assert.Throws<OnnxFormatException>(() => OnnxFile.CheckExternalData(model, "/tmp/m.onnx"));

        Assert.Contains("more elements than 64 bits count", error.Message, StringComparison.Ordinal);
    }

    private static ModelProto Model(float[] values) => new()
    {
        IrVersion = 8,
        OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 17 } },
        Graph = new GraphProto
        {
            Name = "g",
            Initializer = { new TensorProto { Name = "v", DataType = (int)DataType.Float, Dims = { values.Length },
                FloatData = { values } } },
        },
    };

    private static ModelProto External(string location, string offset = "0", string length = "16")
    {
        var model = Model([]);
        model.Graph.Initializer.Clear();
        model.Graph.Initializer.Add(new TensorProto
        {
            Name = "w", DataType = (int)DataType.Float, Dims = { 2, 2 }, DataLocation = TensorProto.Types.DataLocation.External,
            ExternalData =
            {
                new StringStringEntryProto { Key = "location", Value = location },
                new StringStringEntryProto { Key = "offset", Value = offset },
                new StringStringEntryProto { Key = "length", Value = length },
            },
        });
        return model;
    }
}
