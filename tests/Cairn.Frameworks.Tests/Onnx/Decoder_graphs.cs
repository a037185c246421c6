using Cairn.Frameworks.Onnx;
using Cairn.Frameworks.Onnx.Decoders;
using Cairn.Frameworks.Quantizing;

namespace Cairn.Frameworks.Tests.Onnx;

public sealed class Decoder_graphs
{
    private static readonly int[] Tokens = [256, 72, 101, 108, 108, 111, 44, 32, 119, 111, 114, 108, 100, 33, 257, 0, 255, 259];

    [Theory]
    [InlineData(DecoderLayout.Genai)]
    [InlineData(DecoderLayout.Community)]
    internal void Token_by_token_gives_what_prefill_gives(DecoderLayout layout)
    {
        using var folder = new ModelFolder();
        using var run = new DecoderRun(DecoderFolder.Write(folder.Path, DecoderShape.Tiny, layout), threads: 1);
        var whole = run.Continue(Tokens);
        run.Restart();

        var single = Tokens.SelectMany(token => run.Continue([token])).ToArray();

        Assert.InRange(Difference(whole, single), 0, 1e-4);
        Assert.InRange(Difference(whole[260..], single[..^260]), 1, double.MaxValue);
    }

    /// <summary>The number of logits to keep must be given, as in onnx-community's exports, or is one for good, as after genai's pruning.</summary>
    [Theory]
    [InlineData(DecoderLayout.Genai, false)]
    [InlineData(DecoderLayout.Genai, true)]
    [InlineData(DecoderLayout.Community, false)]
    [InlineData(DecoderLayout.Community, true)]
    internal void Every_positions_logits_are_read_however_few_the_graph_gives_at_once(DecoderLayout layout, bool must)
    {
        using var folder = new ModelFolder();
        var path = DecoderFolder.Write(folder.Path, DecoderShape.Tiny, layout);
        float[] whole;
        using (var run = new DecoderRun(path, threads: 1))
            whole = run.Continue(Tokens);
        var model = OnnxFile.Read(path);
        if (must)
            model.Graph.Initializer.Remove(model.Graph.Initializer.Single(tensor => tensor.Name == "num_logits_to_keep"));
        else
            model.Graph.Input.Remove(model.Graph.Input.Single(input => input.Name == "num_logits_to_keep"));
        OnnxFile.Write(model, path);
        using var changed = new DecoderRun(path, threads: 1);

        Assert.Equal(Tokens.Length * 260, whole.Length);
        Assert.InRange(Difference(whole, changed.Continue(Tokens)), 0, 1e-4);
        Assert.Equal(Tokens.Length, changed.Length);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Both_layouts_compute_the_same_from_the_same_weights(bool tied)
    {
        var shape = DecoderShape.Tiny with { TiedEmbeddings = tied };

        Assert.InRange(Difference(Logits(shape, DecoderLayout.Genai), Logits(shape, DecoderLayout.Community)), 0, 1e-4);
    }

    [Theory]
    [InlineData(DecoderLayout.Genai, DecoderPrecision.Float16, 0.03)]
    [InlineData(DecoderLayout.Community, DecoderPrecision.Float16, 0.03)]
    [InlineData(DecoderLayout.Genai, DecoderPrecision.Int8, 0.1)]
    [InlineData(DecoderLayout.Community, DecoderPrecision.Int8, 0.1)]
    [InlineData(DecoderLayout.Genai, DecoderPrecision.Int4, 0.6)]
    [InlineData(DecoderLayout.Community, DecoderPrecision.Int4, 0.6)]
    internal void A_lower_precision_stays_near_the_floats(DecoderLayout layout, DecoderPrecision precision, double tolerance)
    {
        var floats = Logits(DecoderShape.Tiny, layout);
        var low = Logits(DecoderShape.Tiny, layout, precision);

        var rootMeanSquare = Math.Sqrt(floats.Zip(low, (a, b) => (double)(a - b) * (a - b)).Average());
        Assert.InRange(rootMeanSquare, 1e-6, tolerance);
        Assert.InRange(Math.Sqrt(floats.Average(value => value * value)), 2, 4);
    }

    [Theory]
    [InlineData(DecoderPrecision.Float32)]
    [InlineData(DecoderPrecision.Float16)]
    [InlineData(DecoderPrecision.Int4)]
    internal void A_fused_graph_gives_what_the_plain_one_gives(DecoderPrecision precision)
    {
        var plain = Logits(DecoderShape.Tiny, DecoderLayout.Genai, precision);
        var fused = Logits(DecoderShape.Tiny with { Fused = true }, DecoderLayout.Genai, precision);

        Assert.InRange(Difference(plain, fused), 0, precision == DecoderPrecision.Float16 ? 0.05 : 1e-4);
    }

    [Fact]
    public void A_tied_output_is_the_embedding()
    {
        var embedding = RandomWeights.Seeded(1);
        float[] Same(string name, int rows, int columns) =>
            embedding(name == WeightNames.Output ? WeightNames.Embedding : name, rows, columns);

        var tied = Logits(DecoderShape.Tiny with { TiedEmbeddings = true }, DecoderLayout.Genai);

        Assert.InRange(Difference(tied, Logits(DecoderShape.Tiny, DecoderLayout.Genai, weights: Same)), 0, 1e-3);
    }

    [Fact]
    public void Weights_beside_the_model_are_the_weights_inside_it()
    {
        using var folder = new ModelFolder();
        var (inside, beside) = (folder.File("inside.onnx"), folder.File("beside.onnx"));
        DecoderGraph.Write(inside, DecoderShape.Tiny, DecoderLayout.Genai, DecoderPrecision.Float32, RandomWeights.Seeded(3));
        DecoderGraph.Write(beside, DecoderShape.Tiny, DecoderLayout.Genai, DecoderPrecision.Float32, RandomWeights.Seeded(3),
            insideUpTo: 100);
        using var first = new DecoderRun(inside, threads: 1);
        using var second = new DecoderRun(beside, threads: 1);

        Assert.False(File.Exists(inside + ".data"));
        Assert.InRange(new FileInfo(beside).Length, 1, new FileInfo(beside + ".data").Length / 4);
        Assert.Equal(first.Continue(Tokens), second.Continue(Tokens));
    }

    [Fact]
    [Trait("speed", "slow")]
    public void The_benchmark_model_has_124_million_parameters_and_runs()
    {
        using var folder = new ModelFolder();
        var model = DecoderFolder.Write(folder.Path, DecoderShape.Bench, precision: DecoderPrecision.Int4);
        using var run = new DecoderRun(model, threads: 1);

        Assert.InRange(new FileInfo(model).Length + new FileInfo(model + ".data").Length, 150e6, 170e6);
        Assert.Equal(32_000, run.Continue([256]).Length);
    }

    private static float[] Logits(
        DecoderShape shape, DecoderLayout layout, DecoderPrecision precision = DecoderPrecision.Float32, DecoderWeights? weights = null)
    {
        using var folder = new ModelFolder();
        using var run = new DecoderRun(DecoderFolder.Write(folder.Path, shape, layout, precision, weights), threads: 1);
        return run.Continue(Tokens);
    }

    private static double Difference(float[] one, float[] other)
    {
        Assert.Equal(one.Length, other.Length);
        return one.Zip(other, (a, b) => (double)Math.Abs(a - b)).Max();
    }
}
