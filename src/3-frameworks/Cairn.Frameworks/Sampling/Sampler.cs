using System.Buffers;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Cairn.Frameworks.Engine;

namespace Cairn.Frameworks.Sampling;

/// <summary>Chooses one generation's tokens. Holds what was said so far; one per generation.</summary>
/// <remarks>The order is: penalties, bias, what is allowed, temperature, top-k, top-p among what top-k left, min-p. Log-probabilities are
/// of the logits as the model gave them.</remarks>
public sealed class Sampler
{
    private const float Greedy = 1e-5f;
    private const float Huge = float.MaxValue / 1024; // leaves room for the penalties
    private readonly SamplingSpec _spec;
    private readonly bool _penalised;
    private readonly bool _plain; // the likeliest token, whatever it is
    private readonly KeyValuePair<int, float>[] _biases;
    private readonly Dictionary<int, int> _said = []; // how often in the output; 0 where only in the prompt
    private SeededRandom _random;

    /// <param name="spec">How to choose; valid by <see cref="SamplingSpec"/>'s ranges.</param>
    /// <param name="prompt">Counts for the repetition penalty.</param>
    /// <param name="seed">Used where the spec has none.</param>
    public Sampler(SamplingSpec spec, ReadOnlySpan<int> prompt, ulong seed)
    {
        if (spec.Problems(int.MaxValue) is [var problem, ..]) throw new ArgumentException(problem, nameof(spec));
        _spec = spec;
        _penalised = spec.RepetitionPenalty != 1 || spec.PresencePenalty != 0 || spec.FrequencyPenalty != 0;
        _biases = [.. spec.LogitBias];
        _plain = spec.Temperature < Greedy && !_penalised && _biases.Length == 0 && spec.TopLogprobs is null;
        _random = new SeededRandom(spec.Seed ?? seed);
        if (spec.RepetitionPenalty != 1)
            foreach (var token in prompt) _said[token] = 0;
    }

    /// <summary>Chooses the next token and remembers it. Overwrites <paramref name="logits"/>.</summary>
    /// <remarks>Allocates only for log-probabilities. Called by one thread at a time.</remarks>
    /// <param name="logits">One per token id. NaN counts as minus infinity.</param>
    /// <param name="allowed">One bit per token id, lowest first; empty allows all. Ids beyond its end are not allowed.</param>
    /// <exception cref="EngineException">No logit is a number: the model overflowed.</exception>
    public SampledToken Next(Span<float> logits, ReadOnlySpan<ulong> allowed)
    {
        // Whatever is no number is left to what follows.
        if (_plain && allowed.IsEmpty && TensorPrimitives.Max<float>(logits) is var greatest && float.IsFinite(greatest))
            return new SampledToken(First(logits, greatest), 0, []);
        Clean(logits);
        if (_spec.TopLogprobs is not { } top) return new SampledToken(Choose(logits, allowed), 0, []);
        var original = ArrayPool<float>.Shared.Rent(logits.Length);
        logits.CopyTo(original);
        var token = Choose(logits, allowed);
        var sampled = Tell(token, original.AsSpan(0, logits.Length), top);
        ArrayPool<float>.Shared.Return(original);
        return sampled;
    }

    /// <summary>Of the tokens with this logit. To find the greatest and then its place is twice as quick as both at once.</summary>
    private static int First(ReadOnlySpan<float> logits, float logit) => logit == 0
        ? TensorPrimitives.IndexOfMax(logits) // zeros compare as equal and differ in their bits
        : MemoryMarshal.Cast<float, int>(logits).IndexOf(BitConverter.SingleToInt32Bits(logit));

    private int Choose(Span<float> logits, ReadOnlySpan<ulong> allowed)
    {
        Penalise(logits);
        foreach (var (biased, bias) in _biases)
            if (biased < logits.Length) logits[biased] = bias <= -100 ? float.NegativeInfinity : logits[biased] + bias;
        if (!allowed.IsEmpty) TokenMask.Apply(allowed, logits);
        var best = TensorPrimitives.IndexOfMax(logits);
        int token;
        if (logits[best] == float.NegativeInfinity) token = TokenMask.First(allowed); // a bias forbids all that the grammar allows
        else token = _spec.Temperature < Greedy ? best : Draw(logits, new Softmax(logits[best], _spec.Temperature));
        if (_penalised) CollectionsMarshal.GetValueRefOrAddDefault(_said, token, out _)++;
        return token;
    }

    private int Draw(ReadOnlySpan<float> logits, Softmax softmax)
    {
        var unit = _random.NextUnit();
        var topK = _spec.TopK == 0 ? logits.Length : Math.Min(_spec.TopK, logits.Length);
        if (topK == logits.Length && _spec.TopP == 1 && _spec.MinP == 0) return softmax.Draw(logits, unit);
        using var selection = Filter(logits, softmax, topK);
        return Pick(selection, softmax, unit);
    }

    private TokenSelection Filter(ReadOnlySpan<float> logits, Softmax softmax, int topK)
    {
        var floor = _spec.MinP == 0 ? float.NegativeInfinity : softmax.LogitOf(_spec.MinP);
        double whole;
        TokenSelection selection;
        if (topK < logits.Length)
        {
            selection = TokenSelection.Likeliest(logits, topK);
            whole = 0;
            for (var i = 0; i < selection.Count; i++) whole += softmax.Weight(selection.LogitAt(i));
        }
        else
        {
            // Tokens lighter than an even share of what may be left out weigh, together, no more than that: none of them is needed.
            whole = _spec.TopP == 1 ? 1 : softmax.Sum(logits);
            var spared = _spec.TopP == 1 ? floor : softmax.LogitOf((1 - (double)_spec.TopP) * whole / logits.Length * 0.99);
            selection = TokenSelection.AtLeast(logits, spared);
        }
        if (_spec.TopP < 1) selection.KeepWeight(softmax, _spec.TopP * whole);
        if (floor > float.NegativeInfinity) selection.KeepAtLeast(floor);
        return selection;
    }

    private static int Pick(in TokenSelection selection, Softmax softmax, double unit)
    {
        double whole = 0;
        for (var i = 0; i < selection.Count; i++) whole += softmax.Weight(selection.LogitAt(i));
        var remaining = unit * whole;
        for (var i = 0; i < selection.Count; i++)
        {
            remaining -= softmax.Weight(selection.LogitAt(i));
            if (remaining < 0) return selection.TokenAt(i);
        }
        return selection.TokenAt(selection.Count - 1);
    }

    private void Penalise(Span<float> logits)
    {
        if (!_penalised) return;
        foreach (var (token, count) in _said)
        {
            if ((uint)token >= (uint)logits.Length) continue;
            var logit = logits[token];
            logit = logit > 0 ? logit / _spec.RepetitionPenalty : logit * _spec.RepetitionPenalty;
            logits[token] = logit - _spec.FrequencyPenalty * count - (count > 0 ? _spec.PresencePenalty : 0);
        }
    }

    private static SampledToken Tell(int token, ReadOnlySpan<float> original, int top)
    {
        var softmax = new Softmax(TensorPrimitives.Max(original), 1);
        var whole = softmax.Greatest + Math.Log(softmax.Sum(original));
        using var selection = TokenSelection.Likeliest(original, top);
        selection.Sort();
        var likeliest = new TokenLogprob[selection.Count];
        for (var i = 0; i < likeliest.Length; i++)
            likeliest[i] = new TokenLogprob(selection.TokenAt(i), (float)(selection.LogitAt(i) - whole));
        return new SampledToken(token, (float)(original[token] - whole), likeliest);
    }

    /// <summary>NaN becomes minus infinity, and infinity the greatest number, so that the rest may calculate.</summary>
    private static void Clean(Span<float> logits)
    {
        if (float.IsFinite(TensorPrimitives.Max<float>(logits))) return; // NaN and infinity both come through
        foreach (ref var logit in logits)
        {
            if (float.IsNaN(logit)) logit = float.NegativeInfinity;
            else if (logit == float.PositiveInfinity) logit = Huge;
        }
        if (TensorPrimitives.Max<float>(logits) == float.NegativeInfinity)
            throw new EngineException(
                "None of the model's logits is a number: its activations overflow, most often in fp16. Use fp32 or int4.");
    }
}
