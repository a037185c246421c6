namespace Cairn.Frameworks.Sampling;

/// <summary>How the next token is chosen. The defaults sample from the model's own distribution.</summary>
public sealed partial record SamplingSpec
{
    /// <summary>0 (and anything below 0.00001) is greedy; 1 the model's distribution; at most 2.</summary>
    public float Temperature { get; init; } = 1;

    /// <summary>Only the k likeliest; 0 means all.</summary>
    public int TopK { get; init; }

    /// <summary>The smallest set whose probabilities, among what <see cref="TopK"/> left, reach this; 1 means all. In (0, 1].</summary>
    public float TopP { get; init; } = 1;

    /// <summary>Only tokens at least this fraction as likely as the likeliest; 0 means all. In [0, 1].</summary>
    public float MinP { get; init; }

    /// <summary>Divides positive and multiplies negative logits of tokens seen in prompt or output (Keskar et al. 2019, CTRL).
    /// 1 means none. In [0.01, 10].</summary>
    public float RepetitionPenalty { get; init; } = 1;

    /// <summary>Subtracted once from the logit of every token already in the output; in [-2, 2].</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Subtracted per occurrence from the logit of every token already in the output; in [-2, 2].</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Added to the logit of a token; -100 forbids, 100 all but forces. Comes after the penalties.</summary>
    public IReadOnlyDictionary<int, float> LogitBias { get; init; } = new Dictionary<int, float>();

    /// <summary>Same seed, same prompt, same model: same output. Null draws one per request.</summary>
    public ulong? Seed { get; init; }

    /// <summary>How many of the likeliest tokens are told with each chosen one, 0 to 20; null tells no log-probabilities at all.</summary>
    public int? TopLogprobs { get; init; }
}

/// <summary>A chosen token. Log-probabilities are natural, of the model's own distribution before temperature and filters.</summary>
/// <param name="Token">Its id.</param>
/// <param name="Logprob">0 where none were asked for.</param>
/// <param name="Top">The likeliest tokens, likeliest first; empty where none were asked for.</param>
public readonly record struct SampledToken(int Token, float Logprob, IReadOnlyList<TokenLogprob> Top);

/// <summary>One of the likeliest tokens and its natural log-probability.</summary>
public readonly record struct TokenLogprob(int Token, float Logprob);
