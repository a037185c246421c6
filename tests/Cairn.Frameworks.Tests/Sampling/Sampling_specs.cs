using Cairn.Frameworks.Sampling;

namespace Cairn.Frameworks.Tests.Sampling;

public sealed class Sampling_specs
{
    [Fact]
    public void All_problems_of_a_spec_are_told_at_once_with_name_value_and_range()
    {
        var spec = new SamplingSpec
        {
            Temperature = 3, TopK = -1, TopP = 0, MinP = float.NaN, RepetitionPenalty = 0, PresencePenalty = -3, FrequencyPenalty = 3,
            TopLogprobs = 21, LogitBias = new Dictionary<int, float> { [100] = 1, [5] = 200 },
        };
        var problems = spec.Problems(100);
        Assert.Equal("temperature is 3; expected a number from 0 to 2.", problems[0]);
        Assert.Contains("a token of logit_bias is 100; expected a token id from 0 to 99.", problems);
        Assert.Contains("logit_bias of token 5 is 200; expected a number from -100 to 100.", problems);
        Assert.Equal(10, problems.Count);
        Assert.Throws<ArgumentException>(() => new Sampler(spec, [], 0));
    }

    [Fact]
    public void The_defaults_and_the_ends_of_the_ranges_are_valid()
    {
        Assert.Empty(new SamplingSpec().Problems(10));
        Assert.Empty(new SamplingSpec
        {
            Temperature = 2, TopP = 1, MinP = 1, RepetitionPenalty = 10, PresencePenalty = -2, FrequencyPenalty = 2, TopLogprobs = 20,
            LogitBias = new Dictionary<int, float> { [0] = -100, [9] = 100 },
        }.Problems(10));
    }
}
