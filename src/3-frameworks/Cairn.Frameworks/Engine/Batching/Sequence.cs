namespace Cairn.Frameworks.Engine.Batching;

/// <summary>One request as the batch sees it: its tokens, how many of them have keys and values, and the row these lie in.</summary>
internal sealed class Sequence
{
    private readonly List<int> _tokens;

    /// <param name="id">Grows with arrival.</param>
    /// <param name="caller">Whom the batch is fair to.</param>
    /// <param name="prompt">At least one token.</param>
    /// <param name="maximumLength">Prompt and output together; more than the prompt.</param>
    public Sequence(long id, string caller, ReadOnlySpan<int> prompt, int maximumLength)
    {
        if (prompt.IsEmpty)
            throw new ArgumentException("a sequence needs at least one token to begin with", nameof(prompt));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(maximumLength, prompt.Length);
        Id = id;
        Caller = caller;
        PromptLength = prompt.Length;
        MaximumLength = maximumLength;
        _tokens = new List<int>(Math.Min(maximumLength, prompt.Length + 64));
        _tokens.AddRange(prompt);
    }

    public long Id { get; }
    public string Caller { get; }
    public int PromptLength { get; }
    public int MaximumLength { get; }
    public IReadOnlyList<int> Tokens => _tokens;
    public int Length => _tokens.Count;

    /// <summary>Tokens whose keys and values are in the row (or will be, once the planned step has run).</summary>
    public int Filled { get; internal set; }

    /// <summary>-1 while it waits.</summary>
    public int Row { get; internal set; } = -1;

    /// <summary>Blocks of the memory budget that it holds.</summary>
    public int Blocks { get; internal set; }

    /// <summary>Blocks of the row that the prefix cache was offered.</summary>
    public int Offered { get; internal set; }

    /// <summary>Prompt tokens whose keys and values the first prefill took from the prefix cache.</summary>
    public int CachedTokens { get; internal set; }

    /// <summary>How often it had to give its row back.</summary>
    public int Preemptions { get; internal set; }

    /// <summary>Grows with every admission.</summary>
    internal long Admission { get; set; }

    /// <summary>Keys of its whole blocks, as far as anyone asked.</summary>
    internal List<BlockKey> Keys { get; } = [];

    public int Pending => Length - Filled;

    public ReadOnlySpan<int> TokensFrom(int start) => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_tokens)[start..];

    internal void Add(int token) => _tokens.Add(token);

    /// <summary>The key of a whole block, which stands for all tokens up to its end.</summary>
    internal BlockKey KeyOf(int block)
    {
        while (Keys.Count <= block)
        {
            var parent = Keys.Count == 0 ? BlockKey.Root : Keys[^1];
            Keys.Add(parent.Then(TokensFrom(Keys.Count * BlockKey.Tokens)[..BlockKey.Tokens]));
        }
        return Keys[block];
    }
}
