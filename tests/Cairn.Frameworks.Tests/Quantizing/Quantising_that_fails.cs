using Cairn.Frameworks.Onnx;
using Cairn.Frameworks.Onnx.Decoders;
using Cairn.Frameworks.Quantizing;
using Cairn.Frameworks.Tests.Onnx;

namespace Cairn.Frameworks.Tests.Quantizing;

public sealed class Quantising_that_fails
{
    [Theory]
    [InlineData(DecoderPrecision.Int4, QuantizeTarget.Int8, "quantised already: node 'model.layers.0.self_attn.q_proj/MatMulNBits'")]
    [InlineData(DecoderPrecision.Float16, QuantizeTarget.Float16, "float16 already")]
    internal void A_quantised_model_is_refused(DecoderPrecision precision, QuantizeTarget target, string expected)
    {
        using var folder = new ModelFolder();
        DecoderFolder.Write(folder.File("in"), Quantized_models.Shape, precision: precision);

        var error = Assert.Throws<QuantizeException>(() => Quantized_models.Quantize(folder, target));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.False(Path.Exists(folder.File("out")));
    }

    [Fact]
    public void What_is_at_the_output_is_replaced_only_when_asked()
    {
        using var folder = new ModelFolder();
        DecoderFolder.Write(folder.File("in"), Quantized_models.Shape);
        Directory.CreateDirectory(folder.File("out"));
        File.WriteAllText(folder.File("out/mine"), "keep");

        var error = Assert.Throws<QuantizeException>(() => Quantized_models.Quantize(folder, QuantizeTarget.Int8));
        Assert.Contains("--force", error.Message, StringComparison.Ordinal);
        Assert.Equal("keep", File.ReadAllText(folder.File("out/mine")));

        Quantized_models.Quantize(folder, QuantizeTarget.Int8, options => options with { Replace = true });
        Assert.False(File.Exists(folder.File("out/mine")));
        Assert.Equal(["in", "out"], Directory.EnumerateFileSystemEntries(folder.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void A_disk_that_fails_when_the_model_is_written_leaves_nothing_behind()
    {
        using var folder = new ModelFolder();
        DecoderFolder.Write(folder.File("in"), Quantized_models.Shape);
        var disk = new FailsWhen("measuring", folder.Path);

        Assert.Throws<IOException>(() => ModelQuantizer.Quantize(
            folder.File("in"), folder.File("out"), new QuantizeOptions { Target = QuantizeTarget.Int8 }, TimeProvider.System, disk, default));

        Assert.Equal(2, disk.Seen);
        Assert.Equal(["in"], Directory.EnumerateFileSystemEntries(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void A_quantising_that_is_cancelled_leaves_nothing_behind()
    {
        using var folder = new ModelFolder();
        DecoderFolder.Write(folder.File("in"), Quantized_models.Shape);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();

        Assert.ThrowsAny<OperationCanceledException>(() => ModelQuantizer.Quantize(
            folder.File("in"), folder.File("out"), new QuantizeOptions { Target = QuantizeTarget.Int8 }, TimeProvider.System, null,
                cancelled.Token));

        Assert.Equal(["in"], Directory.EnumerateFileSystemEntries(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void Truncated_data_beside_the_model_is_named_and_nothing_is_written()
    {
        using var folder = new ModelFolder();
        Directory.CreateDirectory(folder.File("in"));
        DecoderGraph.Write(
            folder.File("in/model.onnx"), Quantized_models.Shape, DecoderLayout.Genai, DecoderPrecision.Float32, RandomWeights.Seeded(1),
            insideUpTo: 100);
        using (var data = File.OpenWrite(folder.File("in/model.onnx.data")))
            data.SetLength(data.Length - 1);

        var error = Assert.Throws<OnnxFormatException>(() => Quantized_models.Quantize(folder, QuantizeTarget.Int8));

        Assert.Contains("'model.onnx.data'", error.Message, StringComparison.Ordinal);
        Assert.Contains("truncated", error.Message, StringComparison.Ordinal);
        Assert.Equal(["in"], Directory.EnumerateFileSystemEntries(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void A_graph_that_the_runtime_refuses_is_refused_before_anything_is_written()
    {
        using var folder = new ModelFolder();
        DecoderFolder.Write(folder.File("in"), Quantized_models.Shape);
        var model = OnnxFile.Read(folder.File("in/model.onnx"));
        model.Graph.Node.First(node => node.OpType == "MatMul").Input.RemoveAt(1);
        OnnxFile.Write(model, folder.File("in/model.onnx"));

        var error = Assert.Throws<QuantizeException>(() => Quantized_models.Quantize(folder, QuantizeTarget.Int8));

        Assert.StartsWith($"{folder.File("in/model.onnx")}: the runtime does not load the model:", error.Message, StringComparison.Ordinal);
        Assert.Equal(["in"], Directory.EnumerateFileSystemEntries(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void A_folder_made_of_links_is_quantised_like_any_other()
    {
        using var folder = new ModelFolder();
        Directory.CreateDirectory(folder.File("blobs"));
        Directory.CreateDirectory(folder.File("in"));
        DecoderGraph.Write(
            folder.File("blobs/model.onnx"), Quantized_models.Shape, DecoderLayout.Genai, DecoderPrecision.Float32, RandomWeights.Seeded(1),
            insideUpTo: 100);
        foreach (var name in (string[])["model.onnx", "model.onnx.data"])
            File.CreateSymbolicLink(folder.File($"in/{name}"), $"../blobs/{name}");

        var report = Quantized_models.Quantize(folder, QuantizeTarget.Int8);

        Assert.InRange((double)report.BytesAfter / report.BytesBefore, 0.1, 0.45);
    }

    /// <summary>Throws as a full disk does once so much is done; counts what lies beside the input then.</summary>
    private sealed class FailsWhen(string stage, string folder) : IProgress<string>
    {
        internal int Seen { get; private set; }

        public void Report(string value)
        {
            if (!value.StartsWith(stage, StringComparison.Ordinal))
                return;
            Seen = Directory.EnumerateFileSystemEntries(folder).Count();
            throw new IOException("No space left on device");
        }
    }
}
