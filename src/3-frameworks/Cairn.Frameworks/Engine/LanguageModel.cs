using Cairn.Frameworks.Constraining;
using Cairn.Frameworks.Sampling;
using Cairn.Frameworks.Tokenizing;

namespace Cairn.Frameworks.Engine;

/// <summary>A decoder language model, loaded and generating: one loop on one thread batches all requests.</summary>
public sealed class LanguageModel : IAsyncDisposable
{
    /// <summary>Loads a folder in onnxruntime-genai's or onnx-community's layout.</summary>
    /// <exception cref="ModelLoadException">Something of the folder is missing, corrupt or not supported; the message names the file.</exception>
    public static LanguageModel Load(string folder, EngineOptions options, TimeProvider time) => throw new NotImplementedException();

    public Tokenizer Tokenizer => throw new NotImplementedException();

    /// <summary>Prompt and output together, in tokens.</summary>
    public int ContextLength => throw new NotImplementedException();

    /// <summary>Tokens that end a generation.</summary>
    public IReadOnlyList<int> EndTokens => throw new NotImplementedException();

    /// <summary>For grammars over this model's tokens.</summary>
    public TokenTrie TokenTrie => throw new NotImplementedException();

    /// <summary>Counters and gauges for metrics; a consistent copy.</summary>
    public EngineStatistics Statistics => throw new NotImplementedException();

    /// <summary>Queues a request. The generation begins when a row and memory are free; it ends at once when <paramref name="cancellationToken"/> does.</summary>
    public Generation Start(GenerationRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    public ValueTask DisposeAsync() => throw new NotImplementedException();
}

/// <summary>What to generate.</summary>
public sealed record GenerationRequest
{
    /// <summary>At least one token, and fewer than the context holds.</summary>
    public required int[] Prompt { get; init; }

    /// <summary>At most so many tokens of output; cut to what the context leaves.</summary>
    public required int MaximumTokens { get; init; }

    public SamplingSpec Sampling { get; init; } = new();

    /// <summary>The output ends before the first of these.</summary>
    public IReadOnlyList<string> Stops { get; init; } = [];

    /// <summary>Null leaves the output free.</summary>
    public Grammar? Grammar { get; init; }

    /// <summary>Whom the engine is fair to: callers share it evenly, however many requests each has.</summary>
    public string Caller { get; init; } = "";

    /// <summary>Goes on past end tokens until <see cref="MaximumTokens"/>; for benchmarks.</summary>
    public bool IgnoreEnd { get; init; }
}

/// <summary>One request's output as it comes.</summary>
public sealed class Generation
{
    /// <summary>Pieces in order; the last has a <see cref="GenerationPiece.Finish"/>. A failure of the engine throws <see cref="EngineException"/>.</summary>
    public IAsyncEnumerable<GenerationPiece> ReadAllAsync(CancellationToken cancellationToken) => throw new NotImplementedException();
}

/// <summary>A step of output.</summary>
/// <param name="Text">Whole characters, free of stop strings; may be empty.</param>
/// <param name="Tokens">The tokens since the last piece, the end token left out, with log-probabilities where asked for.</param>
/// <param name="Finish">Set on the last piece only.</param>
public readonly record struct GenerationPiece(string Text, IReadOnlyList<SampledToken> Tokens, GenerationFinish? Finish);

/// <summary>How a generation ended, and what it used.</summary>
/// <param name="CachedTokens">Prompt tokens whose keys and values came from the prefix cache.</param>
public sealed record GenerationFinish(FinishReason Reason, int PromptTokens, int CachedTokens, int OutputTokens);

public enum FinishReason
{
    /// <summary>An end token, a stop string, or a finished grammar.</summary>
    Stop,

    /// <summary>The maximum or the context is reached.</summary>
    Length,

    /// <summary>The caller's token was cancelled.</summary>
    Cancelled,
}

/// <summary>A folder does not hold a model that can be loaded.</summary>
public sealed class ModelLoadException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The engine failed while generating.</summary>
public sealed class EngineException(string message, Exception? inner = null) : Exception(message, inner);
