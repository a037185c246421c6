using System.Security.Cryptography;
using Cairn.Frameworks.Constraining;
using Cairn.Frameworks.Engine.Batching;
using Cairn.Frameworks.Engine.Decoding;
using Cairn.Frameworks.Sampling;
using Cairn.Frameworks.Tokenizing;

namespace Cairn.Frameworks.Engine;

/// <summary>
/// A decoder language model, loaded and generating: one loop on one thread batches all requests. Safe for concurrent use.
/// </summary>
public sealed class LanguageModel : IAsyncDisposable
{
    private readonly EngineLoop _loop;
    private readonly Lazy<TokenTrie> _trie;
    private readonly int _vocabulary;
    private readonly bool _runsBriefReaders;
    private long _lastId;

    private LanguageModel(EngineLoop loop, Tokenizer tokenizer, int vocabulary, LoadedDecoder loaded, EngineOptions options)
    {
        (_loop, Tokenizer, _vocabulary) = (loop, tokenizer, vocabulary);
        ContextLength = loaded.Limits.ContextLength;
        EndTokens = loaded.EndTokens;
        Facts = loaded.Facts;
        ReaderLagPieces = options.ReaderLagPieces;
        _runsBriefReaders = options.RunsBriefReaders ?? (options.Threads ?? PhysicalCores.Count) >= Environment.ProcessorCount;
        _trie = new Lazy<TokenTrie>(() => new TokenTrie(tokenizer, [.. EndTokens]));
    }

    /// <summary>
    /// Loads a folder in onnxruntime-genai's or onnx-community's layout; takes as long as reading the weights and a first run do.
    /// </summary>
    /// <exception cref="ModelLoadException">Something of the folder is missing, corrupt or not supported, or an option does not fit it; the
    /// message names the file.</exception>
    public static LanguageModel Load(string folder, EngineOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        var tokenizer = TokenizerOf(folder);
        var loaded = LoadedDecoder.Load(folder, options, time);
        var loop = new EngineLoop(loaded, time);
        return new LanguageModel(loop, tokenizer, Math.Min(loaded.Decoder.VocabularySize, tokenizer.VocabularySize), loaded, options);
    }

    public Tokenizer Tokenizer { get; }

    /// <summary>Prompt and output together, in tokens.</summary>
    public int ContextLength { get; }

    /// <summary>Tokens that end a generation.</summary>
    public IReadOnlyList<int> EndTokens { get; }

    public ModelFacts Facts { get; }

    /// <summary>For grammars over this model's tokens; made when first asked for.</summary>
    public TokenTrie TokenTrie => _trie.Value;

    /// <summary>Counters and gauges for metrics; a consistent copy.</summary>
    public EngineStatistics Statistics => _loop.Statistics;

    /// <summary>Why the engine's loop ended by itself; null while it is well. A model with a fault answers nothing any more.</summary>
    public Exception? Fault => _loop.Fault;

    private int ReaderLagPieces { get; }

    /// <summary>
    /// Queues a request. The generation begins when a row and memory are free; it ends at once when <paramref name="cancellationToken"/>
    /// does.
    /// </summary>
    /// <exception cref="RequestRefusedException">The request cannot be served: nothing of it was queued.</exception>
    /// <exception cref="EngineException">The engine has failed.</exception>
    /// <exception cref="ObjectDisposedException">The model is unloaded.</exception>
    public Generation Start(GenerationRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentOutOfRangeException.ThrowIfLessThan(request.MaximumTokens, 1);
        Check(request);
        var length = (int)Math.Min(ContextLength, (long)request.Prompt.Length + request.MaximumTokens);
        var sequence = new Sequence(Interlocked.Increment(ref _lastId), request.Caller, request.Prompt, length);
        var seed = request.Sampling.Seed ?? BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));

        // A reader on another thread takes a processor from the step that runs meanwhile, whose other threads then wait for that one.
        var generation = new Generation(ReaderLagPieces, inline: request.ReaderIsBrief && _runsBriefReaders);
        var live = new LiveGeneration(sequence, generation)
        {
            Sampler = new Sampler(request.Sampling, request.Prompt, seed),
            Text = new OutputText(Tokenizer.NewStream(), request.Stops),
            Grammar = request.Grammar is { } grammar ? Begin(grammar) : null,
            EndTokens = request.IgnoreEnd && request.Grammar is null ? [] : EndTokens,
            Vocabulary = _vocabulary,
        };
        _loop.Start(live, cancellationToken);
        return generation;
    }

    /// <summary>Ends what still generates and gives all memory back. Waits for the step that runs.</summary>
    public ValueTask DisposeAsync() => _loop.DisposeAsync();

    private GrammarState Begin(Grammar grammar)
    {
        try
        {
            return new GrammarState(grammar, TokenTrie);
        }
        catch (GrammarException unsayable)
        {
            throw new RequestRefusedException(RequestRefusal.UnsayableGrammar, unsayable.Message);
        }
    }

    private void Check(GenerationRequest request)
    {
        var prompt = request.Prompt;
        if (prompt.Length == 0)
            throw new RequestRefusedException(RequestRefusal.EmptyPrompt, "The prompt has no tokens; expected at least one.");
        if (prompt.Length >= ContextLength)
            throw new RequestRefusedException(RequestRefusal.PromptTooLong,
                $"The prompt has {prompt.Length} tokens; this model's context holds {ContextLength}, output included. Shorten the prompt.");
        foreach (var token in prompt)
            if (token < 0 || token >= _vocabulary)
                throw new RequestRefusedException(RequestRefusal.UnknownToken,
                    $"The prompt has token {token}; this model's tokens are 0 to {_vocabulary - 1}.");
        if (request.Sampling.Problems(_vocabulary) is [var problem, ..])
            throw new RequestRefusedException(RequestRefusal.InvalidSampling, problem);
    }

    private static Tokenizer TokenizerOf(string folder)
    {
        try
        {
            return Tokenizer.Load(folder);
        }
        catch (Exception error) when (error is TokenizerFormatException or IOException or UnauthorizedAccessException)
        {
            throw new ModelLoadException(error.Message, error);
        }
    }
}
