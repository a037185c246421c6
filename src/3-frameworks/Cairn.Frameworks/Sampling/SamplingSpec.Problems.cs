using System.Globalization;

namespace Cairn.Frameworks.Sampling;

public sealed partial record SamplingSpec
{
    /// <summary>The most entries that <see cref="LogitBias"/> may have.</summary>
    public const int MaximumBiases = 1024;

    /// <summary>The greatest <see cref="TopLogprobs"/>.</summary>
    public const int MaximumTopLogprobs = 20;

    /// <summary>Everything that is out of range, named as OpenAI's API names it; empty where nothing is.</summary>
    /// <param name="vocabularySize">One more than the highest token id.</param>
    public IReadOnlyList<string> Problems(int vocabularySize)
    {
        var problems = new List<string>();
        Check(Temperature is >= 0 and <= 2, "temperature", Temperature, "a number from 0 to 2");
        Check(TopK >= 0, "top_k", TopK, "0 for all, or a positive whole number");
        Check(TopP is > 0 and <= 1, "top_p", TopP, "a number above 0 and at most 1");
        Check(MinP is >= 0 and <= 1, "min_p", MinP, "a number from 0 to 1");
        Check(RepetitionPenalty is >= 0.01f and <= 10, "repetition_penalty", RepetitionPenalty, "a number from 0.01 to 10");
        Check(PresencePenalty is >= -2 and <= 2, "presence_penalty", PresencePenalty, "a number from -2 to 2");
        Check(FrequencyPenalty is >= -2 and <= 2, "frequency_penalty", FrequencyPenalty, "a number from -2 to 2");
        Check(TopLogprobs is null or (>= 0 and <= MaximumTopLogprobs), "top_logprobs", TopLogprobs ?? 0, "a whole number from 0 to 20");
        Check(LogitBias.Count <= MaximumBiases, "logit_bias", LogitBias.Count, $"at most {MaximumBiases} entries");
        foreach (var (token, bias) in LogitBias.Take(MaximumBiases))
        {
            Check(token >= 0 && token < vocabularySize, "a token of logit_bias", token, $"a token id from 0 to {vocabularySize - 1}");
            Check(bias is >= -100 and <= 100, $"logit_bias of token {token}", bias, "a number from -100 to 100");
        }
        return problems;

        void Check(bool holds, string name, double value, string expected)
        {
            if (!holds) problems.Add(string.Create(CultureInfo.InvariantCulture, $"{name} is {value:R}; expected {expected}."));
        }
    }
}
