using Cairn.Frameworks.Fitting;
using Cairn.Frameworks.ModelCatalog;
using CsCheck;

namespace Cairn.Frameworks.Tests.Fitting;

public sealed class Where_a_model_fits
{
    private static readonly ServingMachine s_eight = new(Cards.H100, 8);

    [Theory]
    [InlineData("llama-3.1-8b", 1)]
    [InlineData("llama-3.3-70b", 4)]
    [InlineData("qwen3-235b-a22b", 8)]
    [InlineData("gpt-oss-120b", 1)]
    public void The_fewest_cards_are_those_whose_memory_holds_it(string model, int cards)
    {
        var answer = Assert.IsType<FitAnswer.Fits>(ServingFit.Of(OpenModels.Find(model)!, new FitNeed(), s_eight));
        Assert.Equal(cards, answer.FewestAccelerators);
        Assert.True(answer.Memory.NeededFor(1) <= answer.Memory.Usable);
        Assert.Equal(8, answer.Replicas * answer.Layout.TensorParallel);
    }

    [Fact]
    public void The_best_published_precision_that_fits_is_taken()
    {
        FitAnswer On(int cards) => ServingFit.Of(OpenModels.Find("qwen3-32b")!, new FitNeed(), new ServingMachine(Cards.A100Small, cards));
        Assert.Equal(WeightPrecision.Bf16, Assert.IsType<FitAnswer.Fits>(On(4)).Precision);
        Assert.Equal(WeightPrecision.Int4, Assert.IsType<FitAnswer.Fits>(ServingFit.Of(
            OpenModels.Find("qwen3-32b")!, new FitNeed(), new ServingMachine(Cards.L40S with { MemoryBytes = 32_000_000_000 },
                1))).Precision);
    }

    [Fact]
    public void What_does_not_fit_says_what_it_needs_and_what_is_there()
    {
        var answer = Assert.IsType<FitAnswer.DoesNotFit>(ServingFit.Of(OpenModels.Find("llama-3.3-70b")!, new FitNeed(),
            new ServingMachine(Cards.H100, 1)));
        Assert.Matches(@"^bf16 with 1 sequence of 1,280 tokens needs 14\d\.\d GB; 1 × H100-SXM-80GB give 72\.0 GB$",
            Assert.Single(answer.Reasons));
        var tooLong = Assert.IsType<FitAnswer.DoesNotFit>(ServingFit.Of(OpenModels.Find("llama-2-7b")!,
            new FitNeed { InputTokens = 5000 }, s_eight));
        Assert.Equal("a sequence of 5,256 tokens is wanted; llama-2-7b has a context of 4,096", Assert.Single(tooLong.Reasons));
    }

    [Fact]
    public void Many_long_sequences_need_more_cards_than_one()
    {
        var model = OpenModels.Find("llama-3.1-8b")!;
        var one = Assert.IsType<FitAnswer.Fits>(ServingFit.Of(model, new FitNeed { Concurrency = 1 }, s_eight));
        var many = Assert.IsType<FitAnswer.Fits>(ServingFit.Of(
            model, new FitNeed { ContextTokens = 131072, InputTokens = 100_000, Concurrency = 8 }, s_eight));
        Assert.Equal(1, one.FewestAccelerators);
        Assert.Equal(4, many.FewestAccelerators);
        Assert.True(many.Memory.Sequences >= 8);
    }

    [Fact]
    public void Several_machines_make_a_pipeline_only_where_one_is_too_small()
    {
        var kimi = OpenModels.Find("kimi-k2")!;
        Assert.IsType<FitAnswer.DoesNotFit>(ServingFit.Of(kimi, new FitNeed(), s_eight));
        var two = Assert.IsType<FitAnswer.Fits>(ServingFit.Of(kimi, new FitNeed(), s_eight with { MostMachines = 4 }));
        Assert.Equal(new Layout(8, 2), two.Layout);
        var small = Assert.IsType<FitAnswer.Fits>(ServingFit.Of(OpenModels.Find("llama-3.1-8b")!, new FitNeed(),
            s_eight with { MostMachines = 4 }));
        Assert.Equal(1, small.Layout.Stages);
    }

    [Fact]
    public void An_objective_costs_concurrency_and_may_be_out_of_reach()
    {
        var model = OpenModels.Find("llama-3.3-70b")!;
        FitAnswer With(double milliseconds) => ServingFit.Of(
            model, new FitNeed { Precision = WeightPrecision.Fp8, Objective = new ServingObjective(null,
                TimeSpan.FromMilliseconds(milliseconds)) }, s_eight);
        var free = Assert.IsType<FitAnswer.Fits>(ServingFit.Of(model, new FitNeed { Precision = WeightPrecision.Fp8 }, s_eight));
        var bound = Assert.IsType<FitAnswer.Fits>(With(20));
        Assert.True(bound.Speed!.SecondsPerToken <= 0.020);
        Assert.True(bound.OutputTokensPerSecond < free.OutputTokensPerSecond);
        var none = Assert.IsType<FitAnswer.DoesNotFit>(With(1));
        Assert.Contains("is too slow: with 1 at once the first token takes", Assert.Single(none.Reasons), StringComparison.Ordinal);
    }

    [Fact]
    public void A_card_without_a_published_rate_fits_without_a_speed()
    {
        var silent = Cards.H100 with { Flops16 = null, Flops8 = null, Ops8 = null };
        var answer = Assert.IsType<FitAnswer.Fits>(ServingFit.Of(OpenModels.Find("llama-3.1-8b")!, new FitNeed(),
            new ServingMachine(silent, 1)));
        Assert.Null(answer.Speed);
        Assert.Throws<ArgumentException>(() => ServingPrice.Of(1, answer, new FitNeed()));

        var asked = new FitNeed { Objective = new ServingObjective(null, TimeSpan.FromSeconds(1)) };
        var unknown = Assert.IsType<FitAnswer.DoesNotFit>(ServingFit.Of(OpenModels.Find("llama-3.1-8b")!, asked, new ServingMachine(silent, 1)));
        Assert.Contains("publishes no rate", Assert.Single(unknown.Reasons), StringComparison.Ordinal);
    }

    [Fact]
    public void An_embedding_model_reads_and_writes_nothing()
    {
        var need = new FitNeed { InputTokens = 512, OutputTokens = 0 };
        var answer = Assert.IsType<FitAnswer.Fits>(ServingFit.Of(OpenModels.Find("bge-m3")!, need, new ServingMachine(Cards.L40S, 1)));
        Assert.Equal(0, answer.OutputTokensPerSecond);
        Assert.Equal(1, answer.Speed!.PrefillShare);
        var price = ServingPrice.Of(1.0, answer, need);
        Assert.Equal(1e6 / 3600 / answer.InputTokensPerSecond, price.PerMillionInput, 9);
        Assert.Equal(0, price.PerMillionOutput);
    }

    [Fact]
    public void Every_wrong_number_is_said_at_once()
    {
        var need = new FitNeed
        {
            InputTokens = 0, OutputTokens = -1, ContextTokens = -5, Concurrency = 0, MemoryShare = 1.5, MostSequences = 0, StepTokens = 0,
            Objective = new ServingObjective(TimeSpan.Zero, TimeSpan.FromSeconds(-1)),
        };
        Assert.Equal(9, need.Problems().Count);
        Assert.Throws<ArgumentException>(() => ServingFit.Of(OpenModels.All[0], need, s_eight));
        Assert.Empty(new FitNeed().Problems());
    }

    [Fact]
    public void Input_and_output_together_cost_the_hour() => AnyFit().Sample(any =>
    {
        if (ServingFit.Of(any.Model, any.Need, any.Machine) is not FitAnswer.Fits answer)
            return;
        var price = ServingPrice.Of(12.5, answer, any.Need);
        var perHour = 3600 * (answer.InputTokensPerSecond * price.PerMillionInput + answer.OutputTokensPerSecond * price.PerMillionOutput) / 1e6;
        Assert.Equal(12.5, perHour, 6);
        Assert.Equal(12.5, 3600 * answer.Replicas * answer.Speed!.RequestsPerSecond * price.PerMillionRequests / 1e6, 6);
    }, iter: 300);

    [Fact]
    public void More_callers_at_once_are_never_served_sooner() => AnyFit().Sample(any =>
    {
        var roofline = new Roofline(
            any.Model, WeightPrecision.Fp8, KvPrecision.Bf16, new Layout(1), any.Machine, EngineEfficiency.Calibrated);
        var last = SpeedEstimate.Of(roofline, any.Need, 1);
        foreach (var concurrency in new[] { 2, 3, 8, 50, 400 })
        {
            var next = SpeedEstimate.Of(roofline, any.Need, concurrency);
            Assert.True(next.SecondsPerToken >= last.SecondsPerToken);
            Assert.True(next.SecondsToFirstToken >= last.SecondsToFirstToken);
            Assert.True(next.RequestsPerSecond >= last.RequestsPerSecond * (1 - 1e-9));
            last = next;
        }
    }, iter: 300);

    [Fact]
    public void More_memory_never_holds_fewer_sequences() => AnyFit().Sample(any =>
    {
        if (ServingFit.Of(any.Model, any.Need, any.Machine) is not FitAnswer.Fits small)
            return;
        var larger = any.Machine with { Accelerator = any.Machine.Accelerator with { MemoryBytes = any.Machine.Accelerator.MemoryBytes * 2 } };
        var large = Assert.IsType<FitAnswer.Fits>(ServingFit.Of(any.Model, any.Need with { Precision = small.Precision }, larger));
        Assert.True(large.FewestAccelerators <= small.FewestAccelerators);
        Assert.True(large.OutputTokensPerSecond >= small.OutputTokensPerSecond * (1 - 1e-9));
    }, iter: 300);

    [Fact]
    public void Layers_are_divided_only_evenly()
    {
        Assert.Equal([1, 2, 4, 8], Layout.TensorSplits(OpenModels.Find("llama-3.1-8b")!.Shape, 8));
        Assert.Equal([1], Layout.TensorSplits(OpenModels.Find("smollm2-135m")!.Shape, 8)); // 9 heads
        Assert.Equal([1, 2, 4], Layout.TensorSplits(OpenModels.Find("qwen2.5-7b")!.Shape, 8)); // 28 heads
        Assert.Equal([1, 2, 4, 8], Layout.TensorSplits(OpenModels.Find("deepseek-v3.1")!.Shape, 8));
    }

    private static Gen<(OpenModel Model, FitNeed Need, ServingMachine Machine)> AnyFit()
    {
        ServingAccelerator[] cards = [Cards.H100, Cards.H200, Cards.B200, Cards.A100, Cards.L40S, Cards.RtxPro6000];
        var models = OpenModels.All.Where(model => model.Kind is ModelKind.TextGeneration).ToList();
        return
            from model in Gen.Int[0, models.Count - 1].Select(i => models[i])
            from input in Gen.Int[1, 3000]
            from output in Gen.Int[1, 1000]
            from card in Gen.Int[0, cards.Length - 1].Select(i => cards[i])
            from count in Gen.Int[0, 3].Select(i => 1 << i)
            select (model, new FitNeed { InputTokens = input, OutputTokens = output }, new ServingMachine(card, count));
    }
}
