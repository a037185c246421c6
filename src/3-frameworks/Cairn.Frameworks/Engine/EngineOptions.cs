namespace Cairn.Frameworks.Engine;

/// <summary>How the engine runs a language model.</summary>
public sealed class EngineOptions
{
    /// <summary>Sequences decoded together, 1 to 256; default 8. Each holds keys and values for the whole context.</summary>
    public int Rows { get; set; } = 8;

    /// <summary>Cuts the model's context, in tokens; null keeps it. Memory of keys and values is proportional.</summary>
    public int? ContextLength { get; set; }

    /// <summary>Threads of one step; default the machine's physical cores.</summary>
    public int? Threads { get; set; }

    /// <summary>What running streams may wait for prefill between two of their tokens, milliseconds; default 50. Smaller keeps streams smooth, larger fills faster.</summary>
    public int StepBudgetMilliseconds { get; set; } = 50;

    /// <summary>Memory for keys and values of finished prefixes, bytes; default 256 MiB; 0 turns the prefix cache off.</summary>
    public long PrefixCacheBytes { get; set; } = 256L << 20;

    /// <summary>Requests that may wait for a row; one more is refused. Default 1,024.</summary>
    public int QueueLimit { get; set; } = 1024;
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
