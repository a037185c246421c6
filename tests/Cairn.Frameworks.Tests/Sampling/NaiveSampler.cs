using Cairn.Frameworks.Sampling;

namespace Cairn.Frameworks.Tests.Sampling;

/// <summary>The definition of sampling, in double precision and with a full sort: what the fast one is held against.</summary>
internal static class NaiveSampler
{
    /// <summary>The probability of every token; zero where a filter dropped it.</summary>
    public static double[] Distribution(SamplingSpec spec, float[] logits, int[] prompt, int[] output, Func<int, bool>? allowed = null)
    {
        var changed = logits.Select((logit, token) => Changed(spec, logit, token, prompt, output)).ToArray();
        var order = Enumerable.Range(0, logits.Length).Where(t => !double.IsNegativeInfinity(changed[t]) && (allowed?.Invoke(t) ?? true))
            .OrderByDescending(t => changed[t]).ThenBy(t => t).ToList();
        var probabilities = new double[logits.Length];
        if (spec.Temperature == 0)
        {
            probabilities[order[0]] = 1;
            return probabilities;
        }
        if (spec.TopK > 0) order = [.. order.Take(spec.TopK)];
        var weights = order.ToDictionary(t => t, t => Math.Exp((changed[t] - changed[order[0]]) / spec.Temperature));
        order = Reaching(order, weights, spec.TopP);
        order = [.. order.Where(t => weights[t] >= spec.MinP)];
        var whole = order.Sum(t => weights[t]);
        foreach (var token in order) probabilities[token] = weights[token] / whole;
        return probabilities;
    }

    public static double[] LogProbabilities(float[] logits)
    {
        var greatest = logits.Max();
        var whole = greatest + Math.Log(logits.Sum(l => Math.Exp(l - (double)greatest)));
        return [.. logits.Select(l => l - whole)];
    }

    private static double Changed(SamplingSpec spec, double logit, int token, int[] prompt, int[] output)
    {
        var count = output.Count(t => t == token);
        if (count > 0 || prompt.Contains(token)) logit = logit > 0 ? logit / spec.RepetitionPenalty : logit * spec.RepetitionPenalty;
        logit -= spec.FrequencyPenalty * count + (count > 0 ? spec.PresencePenalty : 0);
        if (!spec.LogitBias.TryGetValue(token, out var bias)) return logit;
        return bias <= -100 ? double.NegativeInfinity : logit + bias;
    }

    private static List<int> Reaching(List<int> order, Dictionary<int, double> weights, double share)
    {
        if (share == 1) return order;
        var target = share * order.Sum(t => weights[t]);
        var kept = new List<int>();
        double sum = 0;
        foreach (var token in order)
        {
            kept.Add(token);
            sum += weights[token];
            if (sum >= target) break;
        }
        return kept;
    }
}
