using System.Diagnostics;
using Cairn.Frameworks.Sampling;

namespace Cairn.Frameworks.Engine.Measuring;

/// <summary>Measures a loaded model through the loop that serves: so many requests at once, each with a prompt of its own, none ending
/// early.</summary>
public static class ModelBench
{
    /// <summary>Generates once with <paramref name="batch"/> requests together.</summary>
    /// <param name="model">Loaded with at least <paramref name="batch"/> rows; otherwise requests wait for each other, and the figures say
    /// so.</param>
    /// <param name="batch">Requests, at least 1.</param>
    /// <param name="promptTokens">Tokens of each prompt, at least 1. Drawn from a fixed seed, so no prompt shares a beginning with
    /// another.</param>
    /// <param name="outputTokens">Tokens of each output, at least 2.</param>
    /// <exception cref="ArgumentException">Prompt and output do not fit the model's context.</exception>
    public static async Task<BenchResult> RunAsync(
        LanguageModel model, int batch, int promptTokens, int outputTokens, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(promptTokens, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(outputTokens, 2);
        if (promptTokens + outputTokens > model.ContextLength)
            throw new ArgumentException($"{promptTokens} + {outputTokens} tokens do not fit the model's context of {model.ContextLength}.",
                nameof(promptTokens));

        var random = new Random(HashCode.Combine(batch, promptTokens));
        var vocabulary = Math.Max(1, model.Tokenizer.VocabularySize - 1);
        var requests = Enumerable.Range(0, batch).Select(index => new GenerationRequest
        {
            Prompt = [.. Enumerable.Range(0, promptTokens).Select(_ => random.Next(vocabulary))],
            MaximumTokens = outputTokens,
            IgnoreEnd = true,
            Caller = index.ToString(System.Globalization.CultureInfo.InvariantCulture),
            Sampling = new SamplingSpec { Temperature = 0 },
        }).ToList();

        var began = time.GetTimestamp();
        var streams = await Task.WhenAll(requests.Select(request =>
            ReadAsync(model.Start(request, cancellationToken), time, began, cancellationToken)));
        using var process = Process.GetCurrentProcess();
        return BenchResult.Of(promptTokens, streams, process.WorkingSet64, process.PeakWorkingSet64);
    }

    private static async Task<IReadOnlyList<double>> ReadAsync(Generation generation, TimeProvider time, long began,
        CancellationToken cancellationToken)
    {
        var seconds = new List<double>();
        await foreach (var piece in generation.ReadAllAsync(cancellationToken))
        {
            var now = time.GetElapsedTime(began).TotalSeconds;
            for (var i = 0; i < piece.Tokens.Count; i++)
                seconds.Add(now);
        }

        return seconds;
    }
}

/// <summary>What one run measured. Times are milliseconds.</summary>
public sealed record BenchResult
{
    /// <summary>Requests together.</summary>
    public required int Batch { get; init; }

    /// <summary>Output of all requests per second, while all of them were decoding.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>Prompt tokens of all requests per second, from the start until the last had its first token.</summary>
    public required double PromptTokensPerSecond { get; init; }

    public required double FirstTokenP50 { get; init; }

    public required double FirstTokenP99 { get; init; }

    /// <summary>Between two tokens of one request, while all of them were decoding.</summary>
    public required double TokenP50 { get; init; }

    public required double TokenP99 { get; init; }

    /// <summary>The process's resident memory after the run, bytes.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>The most it ever was, bytes.</summary>
    public required long PeakMemoryBytes { get; init; }

    /// <summary>Computes the figures from the seconds at which each request's tokens came; each request has two tokens at least.</summary>
    internal static BenchResult Of(int promptTokens, IReadOnlyList<IReadOnlyList<double>> streams, long memoryBytes, long peakMemoryBytes)
    {
        var allBegan = streams.Max(stream => stream[0]);
        var firstEnded = streams.Min(stream => stream[^1]);

        // Requests that had to wait for each other never decoded all together; then the whole time counts.
        var (from, until) = firstEnded > allBegan ? (allBegan, firstEnded)
            : (streams.Min(stream => stream[0]), streams.Max(stream => stream[^1]));
        var tokens = streams.Sum(stream => stream.Count(at => at > from && at <= until));
        var gaps = streams.SelectMany(stream =>
            stream.Zip(stream.Skip(1)).Where(pair => pair.First >= from && pair.Second <= until).Select(pair => pair.Second - pair.First));
        var sortedGaps = gaps.Order().ToList();
        var firsts = streams.Select(stream => stream[0]).Order().ToList();
        return new BenchResult
        {
            Batch = streams.Count,
            TokensPerSecond = tokens / (until - from),
            PromptTokensPerSecond = streams.Count * (double)promptTokens / allBegan,
            FirstTokenP50 = 1000 * Quantile(firsts, 0.5),
            FirstTokenP99 = 1000 * Quantile(firsts, 0.99),
            TokenP50 = 1000 * Quantile(sortedGaps, 0.5),
            TokenP99 = 1000 * Quantile(sortedGaps, 0.99),
            MemoryBytes = memoryBytes,
            PeakMemoryBytes = peakMemoryBytes,
        };
    }

    // The nearest rank: a value that was measured.
    private static double Quantile(List<double> sorted, double share) =>
        sorted.Count == 0 ? 0 : sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Count) - 1)];
}
