using System.Globalization;
using Cairn.Frameworks.Fitting;
using Cairn.Frameworks.ModelCatalog;

namespace Cairn.Frameworks.Tests.Fitting;

public sealed class The_speed_of_serving
{
    // Mean and worst error that is allowed, a little above what the page states.
    public static TheoryData<string, double, double> Throughputs => new()
    {
        { "llama-3.1-8b on 1 × H100-SXM-80GB", 0.05, 0.10 },
        { "llama-3.1-8b on 1 × H200-SXM-141GB", 0.05, 0.10 },
        { "llama-3.3-70b on 2 × H100-SXM-80GB", 0.10, 0.20 },
        { "llama-3.3-70b on 1 × H200-SXM-141GB", 0.10, 0.20 },
        { "llama-3.1-405b on 8 × H100-SXM-80GB", 0.15, 0.35 },
        { "llama-3.1-405b on 8 × H200-SXM-141GB", 0.12, 0.25 },
        { "llama-3.3-70b on 1 × B200-180GB", 0.18, 0.30 },
        { "llama-3.1-405b on 4 × B200-180GB", 0.15, 0.30 },
        { "llama-3.3-70b on 1 × RTX-PRO-6000-SERVER", 0.18, 0.40 },
        { "qwen3-235b-a22b on 8 × H100-SXM-80GB", 0.12, 0.25 },
        { "qwen3-235b-a22b on 8 × H200-SXM-141GB", 0.30, 0.45 },
        { "qwen3-30b-a3b on 1 × B200-180GB", 0.45, 0.65 },
    };

    [Theory, MemberData(nameof(Throughputs))]
    public void It_agrees_with_published_throughput(string column, double allowedMean, double allowedWorst)
    {
        var published = Published_throughput.Columns.Single(one => one.Name == column);
        var errors = published.Errors();
        var cells = string.Join("; ", published.Cells().Select(cell => string.Create(
            CultureInfo.InvariantCulture, $"{cell.Input}/{cell.Output} {cell.Measured:0} {cell.Computed:0}")));
        var (mean, worst) = (errors.Average(Math.Abs), errors.Max(Math.Abs));
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{column}: bias {errors.Average():+0.0%;-0.0%}, mean {mean:0.0%}, worst {worst:0.0%}: {cells}"));
        Assert.True(mean <= allowedMean && worst <= allowedWorst, $"{column}: mean {mean:0.0%}, worst {worst:0.0%}: {cells}");
    }

    [Theory]
    // TensorRT-LLM 0.5, first token of one prompt (docs/source/performance.md).
    [InlineData("llama-2-7b", "A100-80GB", 1, WeightPrecision.Bf16, 2048, 133, 0.10)]
    [InlineData("llama-2-70b", "A100-80GB", 4, WeightPrecision.Bf16, 2048, 377, 0.15)]
    [InlineData("llama-2-7b", "H100-SXM-80GB", 1, WeightPrecision.Fp8, 2048, 36, 0.35)]
    [InlineData("llama-2-70b", "H100-SXM-80GB", 4, WeightPrecision.Fp8, 2048, 109, 0.15)]
    [InlineData("llama-2-7b", "L40S", 1, WeightPrecision.Fp8, 2048, 73, 0.15)]
    public void Its_first_token_agrees_with_publications(
        string model, string card, int tensorParallel, WeightPrecision precision, int tokens, double milliseconds, double allowed)
    {
        var computed = Roofline(model, card, tensorParallel, precision).Prefill(tokens) * 1e3;
        TestContext.Current.TestOutputHelper?.WriteLine($"{model} {card} {milliseconds} {computed:0.0} {computed / milliseconds - 1:+0%;-0%}");
        Assert.InRange(computed / milliseconds, 1 - allowed, 1 + allowed);
    }

    [Theory]
    // vLLM 0.21, one H100, 16 bits (InferenceBench concurrency sweep, 2026-05-16): one stream and four.
    [InlineData("llama-3.1-8b", "H100-SXM-80GB", 1, 1, 512, 6.48, 0.10)]
    [InlineData("llama-3.1-8b", "H100-SXM-80GB", 1, 4, 512, 6.59, 0.10)]
    // vLLM 0.23, one A100 of 40 GB, 16 bits, 1,024 tokens in, 128 out, one stream: 75 tokens/s (J. Musgrave, 2026).
    [InlineData("llama-3.1-8b", "A100-40GB", 1, 1, 1088, 13.33, 0.10)]
    // vLLM's continuous benchmark of 2024 (build 9515), H200, 16 bits, batches of 8, 32 tokens in, 128 out: an engine slower than today's.
    [InlineData("llama-3.1-8b", "H200-SXM-141GB", 1, 8, 96, 6.51, 0.35)]
    [InlineData("llama-3.3-70b", "H200-SXM-141GB", 4, 8, 96, 16.2, 0.35)]
    [InlineData("mixtral-8x7b", "H200-SXM-141GB", 2, 8, 96, 15.0, 0.35)]
    public void Its_time_per_token_agrees_with_publications(
        string model, string card, int tensorParallel, int sequences, int context, double milliseconds, double allowed)
    {
        var computed = Roofline(model, card, tensorParallel, WeightPrecision.Bf16).Decode(sequences, context).Total * 1e3;
        TestContext.Current.TestOutputHelper?.WriteLine($"{model} {card} {milliseconds} {computed:0.00} {computed / milliseconds - 1:+0%;-0%}");
        Assert.InRange(computed / milliseconds, 1 - allowed, 1 + allowed);
    }

    [Fact]
    public void A_few_tokens_touch_few_experts_and_many_touch_all()
    {
        var roofline = Roofline("qwen3-235b-a22b", "H200-SXM-141GB", 8, WeightPrecision.Fp8);
        var one = roofline.Decode(1, 100).Matrices;
        var eight = roofline.Decode(8, 100).Matrices;
        Assert.InRange(eight / one, 3, 8);
        Assert.InRange(roofline.Decode(4, 100).Matrices, one, eight);
    }

    private static Roofline Roofline(string model, string card, int tensorParallel, WeightPrecision precision)
    {
        var accelerator = new[] { Cards.A100, Cards.A100Small, Cards.H100, Cards.H200, Cards.L40S }.Single(one => one.Name == card);
        return new Roofline(
            OpenModels.Find(model)!, precision, KvPrecision.Bf16, new Layout(tensorParallel), new ServingMachine(accelerator,
                tensorParallel),
            EngineEfficiency.Calibrated);
    }
}
