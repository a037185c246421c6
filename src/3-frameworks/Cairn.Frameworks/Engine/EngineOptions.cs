using System.Globalization;

namespace Cairn.Frameworks.Engine;

/// <summary>How the engine runs a language model.</summary>
public sealed class EngineOptions
{
    /// <summary>No more sequences than these are decoded together.</summary>
    public const int MostRows = 256;

    /// <summary>No shorter context serves anything: a token of the prompt and one of the answer.</summary>
    public const int LeastContext = 2;

    /// <summary>No longer context is known to any model.</summary>
    public const int MostContext = 1 << 24;

    /// <summary>Sequences decoded together, 1 to 256; default 8. Each holds keys and values for the whole context.</summary>
    public int Rows { get; set; } = 8;

    /// <summary>Cuts the model's context, in tokens; null keeps it. Memory of keys and values is proportional.</summary>
    public int? ContextLength { get; set; }

    /// <summary>Threads of one step; default the machine's physical cores.</summary>
    public int? Threads { get; set; }

    /// <summary>
    /// How long a thread of a step waits for its next piece of work without sleeping, microseconds, 0 to 1,000,000; default 50. Longer may
    /// make steps a little faster on a machine that does nothing else, and makes them much slower on one whose cores are shared.
    /// </summary>
    public int SpinMicroseconds { get; set; } = 50;

    /// <summary>
    /// What running streams may wait for prefill between two of their tokens, milliseconds; default 50. Smaller keeps streams smooth,
    /// larger fills faster.
    /// </summary>
    public int StepBudgetMilliseconds { get; set; } = 50;

    /// <summary>
    /// How long a step may prefill for each millisecond that it decodes, 0.1 to 1,000; default 1.25, times the prompts per running stream where
    /// prompts are more. The default keeps the time between tokens under three times the quiet one while a long prompt comes in; a larger one
    /// brings that prompt's first token sooner.
    /// </summary>
    public double PrefillRatio { get; set; } = 1.25;

    /// <summary>Memory for keys and values of finished prefixes, bytes; default 256 MiB; 0 turns the prefix cache off.</summary>
    public long PrefixCacheBytes { get; set; } = 256L << 20;

    /// <summary>
    /// Memory for keys and values of all rows, bytes; null (the default) is enough for every row's whole context, but at most half the
    /// machine's memory. With less than the rows can hold they share it in blocks of 16 tokens as they grow, and when it runs out the
    /// youngest request gives its row back and goes on later. At least one whole context.
    /// </summary>
    public long? KeyValueBytes { get; set; }

    /// <summary>Requests that may wait for a row; one more is refused. Default 1,024.</summary>
    public int QueueLimit { get; set; } = 1024;

    /// <summary>
    /// Pieces that a reader may leave unread before its generation is ended, so that slow readers cost bounded memory; default 1,024.
    /// </summary>
    public int ReaderLagPieces { get; set; } = 1024;

    /// <summary>
    /// Which of a folder's variants to run, by its file's suffix: <c>q4</c>, <c>fp16</c>, …; empty is <c>model.onnx</c>; null takes the
    /// first there is.
    /// </summary>
    public string? Variant { get; set; }

    /// <summary>Copies the cache in every run although the graph could update it in place: for tests of that way.</summary>
    internal bool CopyCache { get; set; }

    /// <summary>
    /// Whether the loop's thread runs brief readers between two steps; null (the default) does where steps occupy every processor: for tests
    /// of both ways.
    /// </summary>
    internal bool? RunsBriefReaders { get; set; }

    /// <summary>Everything that is wrong with these options, one sentence each; empty when they are good.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        Check(problems, nameof(Rows), Rows, 1, MostRows);
        Check(problems, nameof(ContextLength), ContextLength ?? LeastContext, LeastContext, MostContext);
        Check(problems, nameof(Threads), Threads ?? 1, 1, 1024);
        Check(problems, nameof(SpinMicroseconds), SpinMicroseconds, 0, 1_000_000);
        Check(problems, nameof(StepBudgetMilliseconds), StepBudgetMilliseconds, 1, 60_000);
        Check(problems, nameof(PrefillRatio), PrefillRatio, 0.1, 1000);
        Check(problems, nameof(PrefixCacheBytes), PrefixCacheBytes, 0, 1L << 50);
        Check(problems, nameof(KeyValueBytes), KeyValueBytes ?? 1, 1, 1L << 50);
        Check(problems, nameof(QueueLimit), QueueLimit, 1, 1_000_000);
        Check(problems, nameof(ReaderLagPieces), ReaderLagPieces, 1, 1 << 20);
        return problems;
    }

    // Written so that a value that is no number is refused too.
    private static void Check(List<string> problems, string name, double value, double least, double most)
    {
        if (!(value >= least && value <= most))
            problems.Add(string.Create(CultureInfo.InvariantCulture, $"{name} is {value:0.###}; expected {least:0.###} to {most:0.###}."));
    }
}

/// <summary>What the engine has done and is doing.</summary>
public sealed record EngineStatistics
{
    public int Running { get; init; }
    public int Waiting { get; init; }

    /// <summary>Share of the rows' tokens that are in use, 0 to 1.</summary>
    public double CacheUsage { get; init; }
    public long PromptTokens { get; init; }
    public long GeneratedTokens { get; init; }
    public long PrefixQueries { get; init; }
    public long PrefixHits { get; init; }
    public long Preemptions { get; init; }
    public long Steps { get; init; }
}
