using Cairn.Frameworks.Engine.Batching;
using Cairn.Frameworks.Engine.Decoding;

namespace Cairn.Frameworks.Engine;

/// <summary>A folder's decoder, opened and run once, and what its batch may use.</summary>
internal sealed record LoadedDecoder(IDecoder Decoder, BatchLimits Limits, StepCosts Costs, IReadOnlyList<int> EndTokens, ModelFacts Facts)
{
    private const int LongestContext = 1 << 24;

    /// <summary>Logits of one prefill chunk take at most this, where a graph gives them for every token.</summary>
    private const long LargestLogits = 64L << 20;

    /// <exception cref="ModelLoadException">The folder's decoder cannot be loaded, or an option does not fit it.</exception>
    public static LoadedDecoder Load(string folder, EngineOptions options, TimeProvider time)
    {
        if (options.Problems() is { Count: > 0 } problems)
            throw new ModelLoadException($"engine options: {string.Join(" ", problems)}");
        var files = ModelFolder.Read(folder, options.Variant);
        var (session, layout) = DecoderSession.Open(files, options.Threads ?? PhysicalCores.Count, options.SpinMicroseconds);
        IDecoder? decoder = null;
        try
        {
            var context = ContextOf(files, options);
            var shared = layout.SharesBuffer && !options.CopyCache;
            var blocks = BlocksFor(options, context, layout.BytesPerToken, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
            var scarce = blocks < options.Rows * (long)BlockKey.BlocksFor(context);
            var run = new DecoderSession(session, layout, options.Rows, context);
            decoder = shared
                ? new SharedCacheDecoder(run, files.Model, givesBack: scarce)
                : new AppendedCacheDecoder(run, files.Model);
            var limits = new BatchLimits
            {
                Rows = options.Rows, ContextLength = context, Blocks = blocks, QueueLimit = options.QueueLimit,
                PrefixSlots = (int)Math.Min(options.PrefixCacheBytes / decoder.BlockBytes, 1 << 20),
                StepBudgetMilliseconds = options.StepBudgetMilliseconds, PrefillRatio = options.PrefillRatio,
                LargestChunk = run.LastLogitsOnly ? 512 : (int)Math.Clamp(LargestLogits / (4L * run.VocabularySize), 16, 512),
            };
            var precision = layout.QuantizedBits is { } bits ? $"int{bits}" : layout.CacheElementBytes == 2 ? "fp16" : "fp32";
            var facts = new ModelFacts(precision, shared, options.Rows, (long)blocks * BlockKey.Tokens * layout.BytesPerToken);
            return new LoadedDecoder(decoder, limits, Measure(decoder, limits, time), files.EndTokens, facts);
        }
        catch
        {
            if (decoder is null)
                session.Dispose();
            decoder?.Dispose();
            throw;
        }
    }

    // The first plans need to know about what a chunk and a step cost; the very first runs are left out, since they allocate.
    private static StepCosts Measure(IDecoder decoder, BatchLimits limits, TimeProvider time)
    {
        var costs = new StepCosts(limits.Rows);
        var tokens = new int[Math.Min(limits.SmallestChunk, limits.ContextLength - 1)];
        for (var run = 0; run < 2; run++)
        {
            var began = time.GetTimestamp();
            decoder.Prefill(0, tokens, 0);
            var between = time.GetTimestamp();
            decoder.Decode([0], [tokens.Length]);
            if (run > 0)
            {
                costs.ObservePrefill(tokens.Length, time.GetElapsedTime(began, between).TotalMilliseconds);
                costs.ObserveDecode(1, time.GetElapsedTime(between).TotalMilliseconds);
            }
            decoder.Empty(0);
        }
        return costs;
    }

    private static int ContextOf(ModelFolder files, EngineOptions options)
    {
        var own = files.ContextLength ?? options.ContextLength
            ?? throw new ModelLoadException(
                $"{files.Model}: no config tells the context's length; give {nameof(EngineOptions.ContextLength)}");
        var context = Math.Min(own, options.ContextLength ?? own);
        return context is >= 2 and <= LongestContext ? context
            : throw new ModelLoadException($"{files.Model}: a context of {context} tokens; expected 2 to {LongestContext}");
    }

    /// <summary>
    /// Blocks of keys and values over all rows: what the option says, else all that the rows can hold, but no more than half the machine.
    /// </summary>
    /// <param name="options">What was asked for.</param>
    /// <param name="context">Tokens of one row.</param>
    /// <param name="bytesPerToken">Of all layers' keys and values.</param>
    /// <param name="memory">What this process may use, bytes.</param>
    internal static int BlocksFor(EngineOptions options, int context, long bytesPerToken, long memory)
    {
        var perRow = BlockKey.BlocksFor(context);
        var budget = options.KeyValueBytes ?? memory / 2;
        var blocks = Math.Min((long)perRow * options.Rows, budget / (bytesPerToken * BlockKey.Tokens));
        if (blocks < perRow)
            throw new ModelLoadException(
                $"one context of {context} tokens takes {perRow * BlockKey.Tokens * bytesPerToken} bytes of keys and values; "
                + $"{(options.KeyValueBytes is null ? "half this machine's memory" : "the memory for them")} is {budget} bytes. "
                + $"Give a smaller context{(options.KeyValueBytes is null ? "" : ", or more memory")}.");
        return (int)Math.Min(blocks, int.MaxValue);
    }
}
