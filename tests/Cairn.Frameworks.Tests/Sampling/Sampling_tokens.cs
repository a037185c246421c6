using Cairn.Frameworks.Engine;
using Cairn.Frameworks.Sampling;
using CsCheck;

namespace Cairn.Frameworks.Tests.Sampling;

public sealed class Sampling_tokens
{
    // Eighths: sums, differences and comparisons are exact in either precision, and ties are common.
    private static readonly Gen<float> Logit = Gen.Int[-80, 80].Select(n => n / 8f);
    private static readonly Gen<float> Penalty = Gen.Int[-4, 4].Select(n => n / 2f);

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static readonly Gen<SamplingSpec> Specs =
        from temperature in OneOf(0f, 0.25f, 0.5f, 1f, 1.5f, 2f)
        from topK in OneOf(0, 0, 1, 2, 5, 40, 500)
        from topP in Gen.OneOf(Gen.Const(1f), Gen.Float[0.01f, 0.999f])
        from minP in Gen.OneOf(Gen.Const(0f), Gen.Float[0.001f, 0.9f])
        from repetition in OneOf(1f, 1f, 2f, 0.5f)
        from presence in Penalty
        from frequency in Penalty
        from bias in Gen.Dictionary(Gen.Int[0, 70], OneOf(-100f, -1f, 2f, 30f))[0, 5]
        select new SamplingSpec
        {
            Temperature = temperature, TopK = topK, TopP = topP, MinP = minP, RepetitionPenalty = repetition,
            PresencePenalty = presence, FrequencyPenalty = frequency, LogitBias = bias,
        };

    [Fact]
    public void Every_chosen_token_is_one_that_the_definition_could_choose()
    {
        Gen.Select(Specs, Logit.Array[71, 600], Gen.Int[0, 70].Array[0, 8], Gen.ULong).Sample((spec, logits, prompt, seed) =>
        {
            var sampler = new Sampler(spec, prompt, seed);
            var output = new List<int>();
            for (var step = 0; step < 8; step++)
            {
                var token = sampler.Next([.. logits], []).Token;
                Assert.True(IsPossible(spec, logits, prompt, [.. output], token), $"step {step}: token {token}");
                output.Add(token);
            }
        }, iter: 2000);
    }

    /// <summary>Where a sum of weights meets top-p's border to within rounding, either side is right.</summary>
    private static bool IsPossible(SamplingSpec spec, float[] logits, int[] prompt, int[] output, int token)
    {
        if (NaiveSampler.Distribution(spec, logits, prompt, output)[token] > 0) return true;
        if (spec.TopP == 1 && spec.MinP == 0) return false;
        var wider = spec with { TopP = Math.Min(1, spec.TopP * 1.000001f), MinP = spec.MinP * 0.999999f };
        return NaiveSampler.Distribution(wider, logits, prompt, output)[token] > 0;
    }

    public static TheoryData<string, SamplingSpec> Distributions => new()
    {
        { "plain", new SamplingSpec() },
        { "cold", new SamplingSpec { Temperature = 0.6f } },
        { "hot", new SamplingSpec { Temperature = 1.7f } },
        { "top-k", new SamplingSpec { TopK = 7 } },
        { "top-p", new SamplingSpec { TopP = 0.7f } },
        { "min-p", new SamplingSpec { MinP = 0.2f } },
        { "all", new SamplingSpec { Temperature = 1.3f, TopK = 20, TopP = 0.9f, MinP = 0.05f } },
    };

    [Theory, MemberData(nameof(Distributions), DisableDiscoveryEnumeration = true)]
    public void Tokens_come_as_often_as_their_probability(string name, SamplingSpec spec)
    {
        const int draws = 40_000;
        var random = new Random(name.Length);
        var logits = Enumerable.Range(0, 700).Select(_ => (float)(random.NextDouble() * 8 - 4)).ToArray();
        var expected = NaiveSampler.Distribution(spec, logits, [], []);
        var sampler = new Sampler(spec, [], 11);
        var counts = new int[logits.Length];
        var scratch = new float[logits.Length];
        for (var i = 0; i < draws; i++)
        {
            logits.CopyTo(scratch, 0);
            counts[sampler.Next(scratch, []).Token]++;
        }
        Assert.All(Enumerable.Range(0, logits.Length).Where(t => expected[t] == 0), t => Assert.Equal(0, counts[t]));
        var (statistic, freedom) = ChiSquare(counts, expected, draws);
        // Wilson and Hilferty 1931: the cube root of chi-square over its freedom is close to normal; 4 deviations are 1 in 30,000.
        var deviation = 2.0 / (9 * freedom);
        var z = (Math.Cbrt(statistic / freedom) - (1 - deviation)) / Math.Sqrt(deviation);
        Assert.InRange(z, -4, 4);
    }

    /// <summary>Tokens expected fewer than five times share one cell.</summary>
    private static (double Statistic, int Freedom) ChiSquare(int[] counts, double[] expected, int draws)
    {
        var cells = new List<(double Expected, double Seen)>();
        var (rareExpected, rareSeen) = (0.0, 0.0);
        for (var t = 0; t < counts.Length; t++)
        {
            if (expected[t] * draws >= 5) cells.Add((expected[t] * draws, counts[t]));
            else (rareExpected, rareSeen) = (rareExpected + expected[t] * draws, rareSeen + counts[t]);
        }
        if (rareExpected >= 5) cells.Add((rareExpected, rareSeen));
        return (cells.Sum(c => (c.Seen - c.Expected) * (c.Seen - c.Expected) / c.Expected), cells.Count - 1);
    }

    [Fact]
    public void The_same_seed_says_the_same_and_another_seed_something_else()
    {
        var logits = Enumerable.Range(0, 5000).Select(i => i % 17 / 4f).ToArray();
        int[] Say(ulong? own, ulong given)
        {
            var sampler = new Sampler(new SamplingSpec { Seed = own, TopP = 0.95f }, [], given);
            return [.. Enumerable.Range(0, 20).Select(_ => sampler.Next([.. logits], []).Token)];
        }
        Assert.Equal(Say(null, 5), Say(null, 5));
        Assert.Equal(Say(5, 1), Say(5, 2));
        Assert.NotEqual(Say(5, 1), Say(6, 1));
    }

    [Fact]
    public void A_seed_means_the_numbers_that_the_published_algorithm_gives()
    {
        // Computed with the authors' C code (splitmix64.c, xoshiro256starstar.c) from seed 1.
        var random = new SeededRandom(1);
        Assert.Equal(
            [0xb3f2af6d0fc710c5, 0x853b559647364cea, 0x92f89756082a4514],
            [random.NextBits(), random.NextBits(), random.NextBits()]);
    }

    [Fact]
    public void Greedy_takes_the_lowest_id_among_equals()
    {
        var logits = new float[1000];
        logits[500] = logits[77] = logits[999] = 3;
        Assert.Equal(77, new Sampler(new SamplingSpec { Temperature = 0 }, [], 0).Next(logits, []).Token);
    }

    [Fact]
    public void Greedy_passes_over_what_is_no_number()
    {
        var logits = new float[1000];
        (logits[3], logits[500], logits[77]) = (float.NaN, 2, 3);
        Assert.Equal(77, new Sampler(new SamplingSpec { Temperature = 0 }, [], 0).Next(logits, []).Token);
        var overflowed = Enumerable.Repeat(float.NaN, 1000).ToArray();
        Assert.Throws<EngineException>(() => new Sampler(new SamplingSpec { Temperature = 0 }, [], 0).Next(overflowed, []));
    }

    [Fact]
    public void Only_allowed_tokens_are_chosen_and_ids_beyond_the_mask_are_not_allowed()
    {
        Gen.Select(Specs, Logit.Array[71, 300], Gen.ULong.Array[1, 4], Gen.ULong).Sample((spec, logits, mask, seed) =>
        {
            if (mask.All(w => w == 0) || mask.Length * 64 > logits.Length) return;
            bool Allowed(int t) => t / 64 < mask.Length && (mask[t / 64] >> (t % 64) & 1) != 0;
            var token = new Sampler(spec, [], seed).Next([.. logits], mask).Token;
            Assert.True(Allowed(token));
            if (spec.Temperature != 0 || spec.LogitBias.Any(b => b.Value == -100)) return;
            Assert.Equal(1, NaiveSampler.Distribution(spec, logits, [], [], Allowed)[token]);
        }, iter: 2000);
    }

    [Fact]
    public void A_grammar_wins_over_a_bias_that_forbids_all_it_allows()
    {
        var spec = new SamplingSpec { LogitBias = new Dictionary<int, float> { [3] = -100 } };
        Assert.Equal(3, new Sampler(spec, [], 0).Next(new float[10], [1UL << 3]).Token);
    }

    [Fact]
    public void Log_probabilities_are_of_the_models_own_distribution_whatever_is_changed_after()
    {
        Gen.Select(Specs, Logit.Array[71, 600], Gen.Int[0, 20], Gen.ULong).Sample((spec, logits, top, seed) =>
        {
            var sampler = new Sampler(spec with { TopLogprobs = top }, [1, 2], seed);
            var expected = NaiveSampler.LogProbabilities(logits);
            var likeliest = Enumerable.Range(0, logits.Length).OrderByDescending(t => logits[t]).ThenBy(t => t).Take(top).ToArray();
            for (var i = 0; i < 3; i++)
            {
                var sampled = sampler.Next([.. logits], []);
                Assert.Equal(expected[sampled.Token], sampled.Logprob, 1e-4);
                Assert.Equal(likeliest, sampled.Top.Select(t => t.Token));
                Assert.All(sampled.Top, t => Assert.Equal(expected[t.Token], t.Logprob, 1e-4));
            }
        }, iter: 300);
    }

    [Fact]
    public void Asking_for_log_probabilities_does_not_change_what_is_said()
    {
        Gen.Select(Specs, Logit.Array[71, 300], Gen.ULong).Sample((spec, logits, seed) =>
        {
            var (quiet, telling) = (new Sampler(spec, [4], seed), new Sampler(spec with { TopLogprobs = 2 }, [4], seed));
            for (var i = 0; i < 5; i++) Assert.Equal(quiet.Next([.. logits], []).Token, telling.Next([.. logits], []).Token);
        }, iter: 200);
    }

    [Fact]
    public void Logits_that_are_not_numbers_are_never_chosen_and_infinity_always()
    {
        foreach (var temperature in new[] { 0f, 1f })
        {
            var sampler = new Sampler(new SamplingSpec { Temperature = temperature }, [], 3);
            var logits = Enumerable.Repeat(float.NaN, 200).ToArray();
            (logits[150], logits[151]) = (-5, float.NegativeInfinity);
            Assert.Equal(150, sampler.Next(logits, []).Token);
            Assert.Equal(1, sampler.Next(new[] { 1, float.PositiveInfinity, 2 }, []).Token);
            var failure = Assert.Throws<EngineException>(() => sampler.Next(new[] { float.NaN, float.NegativeInfinity }, []));
            Assert.Contains("overflow", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_token_allocates_nothing()
    {
        var logits = Enumerable.Range(0, 32_000).Select(i => i * 7919 % 1000 / 100f).ToArray();
        var scratch = new float[logits.Length];
        var mask = Enumerable.Repeat(~0UL, 500).ToArray();
        SamplingSpec[] specs = [new() { Temperature = 0 }, new(), new() { TopK = 50, MinP = 0.1f }, new() { TopP = 0.9f }];
        foreach (var spec in specs)
        {
            var sampler = new Sampler(spec with { LogitBias = new Dictionary<int, float> { [3] = 1 } }, [1, 2, 3], 1);
            Say(20);
            var before = GC.GetAllocatedBytesForCurrentThread();
            Say(50);
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

            void Say(int tokens)
            {
                for (var i = 0; i < tokens; i++)
                {
                    logits.CopyTo(scratch, 0);
                    sampler.Next(scratch, mask);
                }
            }
        }
    }
}
