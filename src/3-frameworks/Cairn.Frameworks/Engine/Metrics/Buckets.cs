namespace Cairn.Frameworks.Engine.Metrics;

/// <summary>The bounds of vLLM's histograms (its <c>vllm/v1/metrics/loggers.py</c>), so that boards made for it read these the
/// same.</summary>
internal static class Buckets
{
    public static readonly double[] FirstToken =
        [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560];

    public static readonly double[] BetweenTokens =
        [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80];

    public static readonly double[] Request =
        [0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680];

    public static readonly double[] Choices = [1, 2, 5, 10, 20];

    /// <summary>1, 2, 5, 10, 20, 50, … up to the context.</summary>
    public static double[] Tokens(int contextLength)
    {
        var bounds = new List<double>();
        for (long decade = 1; decade <= contextLength; decade *= 10)
            bounds.AddRange(new[] { 1, 2, 5 }.Select(step => step * decade).Where(bound => bound <= contextLength).Select(bound =>
                (double)bound));
        return [.. bounds];
    }
}
