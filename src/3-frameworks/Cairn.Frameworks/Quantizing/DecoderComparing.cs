using System.Numerics.Tensors;

namespace Cairn.Frameworks.Quantizing;

/// <summary>Lets two forms of a decoder read the same windows of a text, and compares their predictions and their speed.</summary>
internal sealed class DecoderComparing(DecoderRun before, DecoderRun after, int window, TimeProvider time)
{
    /// <summary>Tokens that are read at once; logits of so many positions are held.</summary>
    internal const int Window = 128;

    /// <summary>A few thousand positions settle the agreement to about a percent.</summary>
    private const int MostTokens = 2048;
    private const int DecodedTokens = 24;
    private const int DecodeTurns = 3;

    private double _logProbabilityBefore;
    private double _logProbabilityAfter;
    private double _divergence;
    private double _error;
    private double _largest;
    private int _agreed;
    private int _positions;

    internal DecoderComparison Compare(int[] tokens, CancellationToken cancellationToken)
    {
        if (tokens.Length < 2)
            throw new QuantizeException(
                $"the calibration text has {tokens.Length} tokens; at least 2 are needed, some hundred tell something");
        var prefill = (Before: 0.0, After: 0.0);
        Warm(tokens);
        for (var start = 0; start + 2 <= Math.Min(tokens.Length, MostTokens); start += window)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var part = tokens.AsSpan(start, Math.Min(window, tokens.Length - start));
            var (first, firstSeconds) = Read(before, part);
            var (second, secondSeconds) = Read(after, part);
            prefill = (Math.Max(prefill.Before, part.Length / firstSeconds), Math.Max(prefill.After, part.Length / secondSeconds));
            Add(first, second, part);
        }
        var decode = Decode(tokens, cancellationToken);
        return new DecoderComparison(
            _positions, Math.Exp(-_logProbabilityBefore / _positions), Math.Exp(-_logProbabilityAfter / _positions),
                _divergence / _positions,
            (double)_agreed / _positions, _error / _positions, _largest,
            new DecoderSpeed(prefill.Before, decode.Before), new DecoderSpeed(prefill.After, decode.After));
    }

    /// <summary>First runs allocate and pack; they are not measured.</summary>
    private void Warm(int[] tokens)
    {
        foreach (var run in (DecoderRun[])[before, after])
            Read(run, tokens.AsSpan(0, Math.Min(window, tokens.Length)));
    }

    private (float[] Logits, double Seconds) Read(DecoderRun run, ReadOnlySpan<int> tokens)
    {
        run.Restart();
        var start = time.GetTimestamp();
        var logits = run.Continue(tokens);
        return (logits, time.GetElapsedTime(start).TotalSeconds);
    }

    /// <summary>Both in turns, so that whatever else runs on the machine meets both; the best turn is what the machine can do.</summary>
    private (double Before, double After) Decode(int[] tokens, CancellationToken cancellationToken)
    {
        var best = (Before: 0.0, After: 0.0);
        for (var turn = 0; turn < DecodeTurns; turn++)
            best = (Math.Max(best.Before, Decode(before, tokens, cancellationToken)),
                Math.Max(best.After, Decode(after, tokens, cancellationToken)));
        return best;
    }

    /// <summary>Tokens per second, one after another; which tokens they are does not matter for the time.</summary>
    private double Decode(DecoderRun run, int[] tokens, CancellationToken cancellationToken)
    {
        var count = Math.Min(DecodedTokens, Math.Min(window, tokens.Length) - 1);
        run.Restart();
        run.Continue(tokens.AsSpan(0, 1));
        var start = time.GetTimestamp();
        for (var i = 1; i <= count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            run.Continue(tokens.AsSpan(i, 1));
        }
        return count / time.GetElapsedTime(start).TotalSeconds;
    }

    private void Add(float[] first, float[] second, ReadOnlySpan<int> tokens)
    {
        var vocabulary = first.Length / tokens.Length;
        var (p, q) = (new float[vocabulary], new float[vocabulary]);
        // The prediction after the last token of a window has nothing to be held against.
        for (var i = 0; i + 1 < tokens.Length; i++)
        {
            ReadOnlySpan<float> a = first.AsSpan(i * vocabulary, vocabulary), b = second.AsSpan(i * vocabulary, vocabulary);
            _error += MeanAbsolute(a, b, p);
            _largest = Math.Max(_largest, Math.Abs(TensorPrimitives.MaxMagnitude<float>(p)));
            _agreed += TensorPrimitives.IndexOfMax(a) == TensorPrimitives.IndexOfMax(b) ? 1 : 0;
            LogSoftmax(a, p);
            LogSoftmax(b, q);
            _logProbabilityBefore += p[tokens[i + 1]];
            _logProbabilityAfter += q[tokens[i + 1]];
            for (var token = 0; token < vocabulary; token++)
                _divergence += Math.Exp(p[token]) * (p[token] - q[token]);
            _positions++;
        }
    }

    private static double MeanAbsolute(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> difference)
    {
        TensorPrimitives.Subtract(a, b, difference);
        return TensorPrimitives.SumOfMagnitudes<float>(difference) / (double)a.Length;
    }

    private static void LogSoftmax(ReadOnlySpan<float> logits, Span<float> into)
    {
        TensorPrimitives.Subtract(logits, TensorPrimitives.Max(logits), into);
        var sum = 0.0;
        foreach (var value in into)
            sum += Math.Exp(value);
        TensorPrimitives.Subtract(into, (float)Math.Log(sum), into);
    }
}
