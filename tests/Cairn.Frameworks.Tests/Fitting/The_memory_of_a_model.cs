using Cairn.Frameworks.Fitting;
using Cairn.Frameworks.ModelCatalog;

namespace Cairn.Frameworks.Tests.Fitting;

public sealed class The_memory_of_a_model
{
    [Theory]
    // "Insights into DeepSeek-V3" (arXiv 2505.09343), table 1, in units of 1,000 bytes with 16-bit caches.
    [InlineData("deepseek-v3.1", 70.272e3)]
    [InlineData("qwen2.5-72b", 327.680e3)]
    [InlineData("llama-3.1-405b", 516.096e3)]
    public void A_tokens_keys_and_values_take_what_is_published(string name, double bytes) =>
        Assert.Equal(bytes, ModelMemory.SequenceBytes(OpenModels.Find(name)!.Shape, 1, KvPrecision.Bf16));

    [Theory]
    // gpt-oss model card (arXiv 2508.10925), table 1: checkpoints.
    [InlineData("gpt-oss-20b", WeightPrecision.Mxfp4, 12.8, 0.02)]
    [InlineData("gpt-oss-120b", WeightPrecision.Mxfp4, 60.8, 0.02)]
    // llama-bench's column "size" in llama.cpp pull request 4812; its Q4_0 also keeps the embedding in 4 bits.
    [InlineData("llama-2-7b", WeightPrecision.Int4, 3.56, 0.12)]
    // Checkpoint sizes of Gemma 4 (The Kaitchup, issue 136): 61 and 50 GB; the 31B's holds a vision tower of 0.55 B parameters.
    [InlineData("gemma-4-31b", WeightPrecision.Bf16, 61 / 1.0737, 0.02)]
    [InlineData("gemma-4-26b-a4b", WeightPrecision.Bf16, 50 / 1.0737, 0.02)]
    public void Its_weights_take_what_is_published(string name, WeightPrecision precision, double gibibytes, double allowed)
    {
        var computed = ModelMemory.WeightBytes(OpenModels.Find(name)!, precision) / (double)(1L << 30);
        Assert.InRange(computed / gibibytes, 1 - allowed, 1 + allowed);
    }

    [Fact]
    public void A_window_bounds_what_a_long_sequence_keeps()
    {
        var shape = OpenModels.Find("gemma-3-27b")!.Shape;
        var (at1k, at64k) = (ModelMemory.SequenceBytes(shape, 1024, KvPrecision.Bf16), ModelMemory.SequenceBytes(shape, 65536,
            KvPrecision.Bf16));

        // 10 of 62 layers see everything: 64 times the tokens take 11.2 times the memory.
        Assert.Equal((52 + 10 * 64) / 62.0, (double)at64k / at1k, 6);
    }

    [Fact]
    public void A_linear_layer_keeps_a_state_whatever_the_length()
    {
        var shape = OpenModels.Find("qwen3-next-80b-a3b")!.Shape;
        var perToken = 12L * 2 * 2 * 256 * 2;
        var empty = ModelMemory.SequenceBytes(shape, 0, KvPrecision.Bf16);
        Assert.InRange(empty, 70_000_000, 80_000_000);
        Assert.Equal(empty + 1000 * perToken, ModelMemory.SequenceBytes(shape, 1000, KvPrecision.Bf16));
    }

    [Fact]
    public void Heads_are_divided_until_none_is_left_and_the_latent_never_is()
    {
        var grouped = OpenModels.Find("qwen3-30b-a3b")!.Shape; // 4 heads of keys and values
        var whole = ModelMemory.SequenceBytes(grouped, 1000, KvPrecision.Bf16);
        Assert.Equal(whole / 4, ModelMemory.SequenceBytes(grouped, 1000, KvPrecision.Bf16, 4));
        Assert.Equal(whole / 4, ModelMemory.SequenceBytes(grouped, 1000, KvPrecision.Bf16, 8));
        var latent = OpenModels.Find("deepseek-v3.1")!.Shape;
        Assert.Equal(ModelMemory.SequenceBytes(latent, 1000, KvPrecision.Bf16), ModelMemory.SequenceBytes(latent, 1000, KvPrecision.Bf16,
            8));
    }

    [Fact]
    public void Eight_bit_caches_take_half() => Assert.Equal(
        ModelMemory.SequenceBytes(OpenModels.Find("llama-3.1-8b")!.Shape, 777, KvPrecision.Bf16) / 2,
        ModelMemory.SequenceBytes(OpenModels.Find("llama-3.1-8b")!.Shape, 777, KvPrecision.Fp8));

    [Fact]
    public void Fewer_bits_take_less_for_every_model() => Assert.All(OpenModels.All, model =>
    {
        WeightPrecision[] order = [WeightPrecision.Fp32, WeightPrecision.Bf16, WeightPrecision.Int8, WeightPrecision.Fp8,
            WeightPrecision.Int4];
        var sizes = order.Select(precision => ModelMemory.WeightBytes(model, precision)).ToList();
        Assert.Equal(sizes.OrderDescending().Distinct(), sizes);
        Assert.Equal(2 * ParameterCount.Of(model.Shape).Total, ModelMemory.WeightBytes(model, WeightPrecision.Bf16));
    });
}
