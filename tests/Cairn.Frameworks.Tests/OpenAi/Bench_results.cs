using Cairn.Frameworks.Engine.Measuring;

namespace Cairn.Frameworks.Tests.OpenAi;

public sealed class Bench_results
{
    [Fact]
    public void Tokens_per_second_counts_only_while_all_requests_decode()
    {
        // The second request's first token comes at 2 s; the first request ends at 4 s. Between them each makes 2 and 4 tokens.
        var result = BenchResult.Of(100, [[1, 2, 3, 4], [2, 2.5, 3, 3.5, 4, 4.5]], 10, 20);

        Assert.Equal((2, 3.0, 100.0), (result.Batch, result.TokensPerSecond, result.PromptTokensPerSecond));
        Assert.Equal((1000.0, 2000.0), (result.FirstTokenP50, result.FirstTokenP99));
        Assert.Equal((500.0, 1000.0), (result.TokenP50, result.TokenP99));
        Assert.Equal((10L, 20L), (result.MemoryBytes, result.PeakMemoryBytes));
    }

    [Fact]
    public void Requests_that_waited_for_each_other_count_over_the_whole_time()
    {
        var result = BenchResult.Of(10, [[1, 2], [3, 4]], 0, 0);

        Assert.Equal(1.0, result.TokensPerSecond);
    }
}
