using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using Cairn.Frameworks.Engine;
using Cairn.Frameworks.Onnx;
using Cairn.Frameworks.Onnx.Decoders;
using Cairn.Frameworks.Quantizing;
using Cairn.Frameworks.Tests.Engine;
using Cairn.Frameworks.Tests.Onnx;

namespace Cairn.Frameworks.Tests.Quantizing;

public sealed class Quantized_models
{
    internal static readonly DecoderShape Shape = DecoderShape.Tiny with { Hidden = 128, Intermediate = 256, HeadSize = 32 };

    [Theory]
    [InlineData(DecoderLayout.Genai, QuantizeTarget.Int8, 0.05, 0.9)]
    [InlineData(DecoderLayout.Genai, QuantizeTarget.Int4, 0.6, 0.7)]
    [InlineData(DecoderLayout.Genai, QuantizeTarget.Float16, 0.01, 0.97)]
    [InlineData(DecoderLayout.Community, QuantizeTarget.Int8, 0.05, 0.9)]
    [InlineData(DecoderLayout.Community, QuantizeTarget.Int4, 0.6, 0.7)]
    [InlineData(DecoderLayout.Community, QuantizeTarget.Float16, 0.01, 0.97)]
    internal void A_decoder_predicts_nearly_as_before(DecoderLayout layout, QuantizeTarget target, double logitError, double agreement)
    {
        using var folder = new ModelFolder();
        DecoderFolder.Write(folder.File("in"), Shape, layout);

        var report = Quantize(folder, target);

        Assert.NotNull(report.Decoder);
        Assert.InRange(report.Decoder.MeanLogitError, 1e-7, logitError);
        Assert.InRange(report.Decoder.Top1Agreement, agreement, 1);
        Assert.InRange(report.Decoder.PerplexityAfter / report.Decoder.PerplexityBefore, 0.9, 1.1);
        Assert.InRange(report.Decoder.Tokens, 1000, 2048);
        Assert.InRange((double)report.BytesAfter / report.BytesBefore, 0.1, target == QuantizeTarget.Float16 ? 0.55 : 0.45);
        Assert.True(File.Exists(DecoderFolder.ModelPath(folder.File("out"), layout)));
        Assert.Equal(["tokenizer.json"], Directory.EnumerateFiles(folder.File("out"), "tokenizer.json").Select(Path.GetFileName));
        Assert.Equal(["in", "out"], Directory.EnumerateFileSystemEntries(folder.Path).Select(Path.GetFileName).Order());
    }

    [Theory]
    [InlineData(QuantizeTarget.Int8)]
    [InlineData(QuantizeTarget.Int4)]
    public void The_runtime_computes_with_the_levels_that_were_written(QuantizeTarget target)
    {
        using var folder = new ModelFolder();
        DecoderFolder.Write(folder.File("in"), Shape);
        Quantize(folder, target);

        // The same weights, rounded in memory, in a graph of floats; only the activations' own rounding is left between both.
        float[] Rounded(string name, int rows, int columns)
        {
            var weight = RandomWeights.Seeded(1)(name, rows, columns);
            if (rows == 1 || name == WeightNames.Embedding)
                return weight;
            var bits = target == QuantizeTarget.Int8 || name == WeightNames.Output ? 8 : 4;
            var matrix = QuantizedMatrix.From(weight, rows, columns, bits, 32);
            return [.. Enumerable.Range(0, rows * columns).Select(index => matrix[index / columns, index % columns])];
        }
        DecoderFolder.Write(folder.File("rounded"), Shape, weights: Rounded);
        int[] tokens = [.. Enumerable.Range(0, 50).Select(index => index * 5)];
        using var quantized = new DecoderRun(folder.File("out/model.onnx"), threads: 1);
        using var floats = new DecoderRun(folder.File("rounded/model.onnx"), threads: 1);
        using var original = new DecoderRun(folder.File("in/model.onnx"), threads: 1);
        var (one, other, before) = (quantized.Continue(tokens), floats.Continue(tokens), original.Continue(tokens));

        Assert.InRange(Distance(one, other), 0, 0.02);
        if (target == QuantizeTarget.Int4)
            Assert.InRange(Distance(one, before), 3 * Distance(one, other), 0.5);
    }

    [Theory]
    [InlineData(DecoderLayout.Genai, QuantizeTarget.Int8)]
    [InlineData(DecoderLayout.Genai, QuantizeTarget.Int4)]
    [InlineData(DecoderLayout.Genai, QuantizeTarget.Float16)]
    [InlineData(DecoderLayout.Community, QuantizeTarget.Int8)]
    [InlineData(DecoderLayout.Community, QuantizeTarget.Float16)]
    internal async Task The_engine_generates_what_the_quantised_graph_finds_most_likely(DecoderLayout layout, QuantizeTarget target)
    {
        using var folder = new ModelFolder();
        DecoderFolder.Write(folder.File("in"), Shape, layout);
        Quantize(folder, target);
        int[] prompt = [256, 84, 104, 101];
        using var run = new DecoderRun(DecoderFolder.ModelPath(folder.File("out"), layout), threads: 1);
        var expected = new List<int>();
        for (var logits = run.Continue(prompt); expected.Count < 10; logits = run.Continue([expected[^1]]))
            expected.Add(TensorPrimitives.IndexOfMax<float>(logits.AsSpan(^260..)));

        await using var model = LanguageModel.Load(folder.File("out"), new EngineOptions { Threads = 1, ContextLength = 64 }, TimeProvider.System);
        var (tokens, _) = await TinyModel.RunAsync(model, TinyModel.Greedy(prompt, 10));

        Assert.Equal(expected, tokens.Select(token => token.Token));
    }

    [Fact]
    public void A_tied_output_layer_is_quantised_and_the_embedding_stays()
    {
        using var folder = new ModelFolder();
        DecoderFolder.Write(folder.File("in"), Shape with { TiedEmbeddings = true });

        var report = Quantize(folder, QuantizeTarget.Int4);

        Assert.Contains(report.Converted, weight => weight.Name == WeightNames.Embedding && weight.Bits == 8);
        var model = OnnxFile.Read(folder.File("out/model.onnx"));
        Assert.DoesNotContain(model.Graph.Node, node => node.OpType is "MatMul" or "Transpose");
        Assert.InRange(report.Decoder!.Top1Agreement, 0.7, 1);
    }

    [Fact]
    public void Embeddings_are_quantised_when_asked()
    {
        using var folder = new ModelFolder();
        DecoderFolder.Write(folder.File("in"), Shape);

        var report = Quantize(folder, QuantizeTarget.Int8, options => options with { Embeddings = true });

        var graph = OnnxFile.Read(folder.File("out/model.onnx")).Graph;
        Assert.DoesNotContain(graph.Initializer, tensor => tensor.Name == WeightNames.Embedding);
        Assert.InRange(report.Decoder!.Top1Agreement, 0.9, 1);
        Assert.InRange((double)report.BytesAfter / report.BytesBefore, 0.1, 0.32);
    }

    [Fact]
    public void Halves_can_be_quantised_further()
    {
        using var folder = new ModelFolder();
        DecoderFolder.Write(folder.File("in"), Shape, precision: DecoderPrecision.Float16);

        Assert.InRange(Quantize(folder, QuantizeTarget.Int4).Decoder!.Top1Agreement, 0.7, 1);
    }

    [Fact]
    public void Half_caches_are_declared_and_other_inputs_and_outputs_keep_their_types()
    {
        using var folder = new ModelFolder();
        DecoderFolder.Write(folder.File("in"), Shape, DecoderLayout.Community);

        Quantize(folder, QuantizeTarget.Float16);

        var graph = OnnxFile.Read(folder.File("out/onnx/model.onnx")).Graph;
        Assert.All(graph.Input.Concat(graph.Output).Where(value => value.Name.Contains("key", StringComparison.Ordinal)),
            value => Assert.Equal(10, value.Type.TensorType.ElemType));
        Assert.Equal(1, graph.Output.Single(value => value.Name == "logits").Type.TensorType.ElemType);
        var config = JsonNode.Parse(File.ReadAllText(folder.File("out/config.json")))!;
        Assert.Equal("float16", (string?)config["transformers.js_config"]!["kv_cache_dtype"]);
    }

    [Fact]
    public void Data_beside_the_model_is_read_and_not_copied()
    {
        using var folder = new ModelFolder();
        Directory.CreateDirectory(folder.File("in"));
        DecoderGraph.Write(
            folder.File("in/model.onnx"), Shape, DecoderLayout.Genai, DecoderPrecision.Float32, RandomWeights.Seeded(1), insideUpTo: 100);

        var report = Quantize(folder, QuantizeTarget.Int8);

        Assert.Equal(["model.onnx"], Directory.EnumerateFiles(folder.File("out")).Select(Path.GetFileName));
        Assert.Contains("tokenizer.json", report.NotMeasured, StringComparison.Ordinal);
        using var run = new DecoderRun(folder.File("out/model.onnx"));
        Assert.Equal(260, run.Continue([256]).Length);
    }

    internal static QuantizeReport Quantize(
        ModelFolder folder, QuantizeTarget target, Func<QuantizeOptions, QuantizeOptions>? change = null)
    {
        var options = new QuantizeOptions { Target = target };
        return ModelQuantizer.Quantize(
            folder.File("in"), folder.File("out"), change?.Invoke(options) ?? options, TimeProvider.System, null, CancellationToken.None);
    }

    private static double Distance(float[] one, float[] other) =>
        Math.Sqrt(one.Zip(other, (a, b) => (double)(a - b) * (a - b)).Sum() / other.Sum(value => (double)value * value));
}
