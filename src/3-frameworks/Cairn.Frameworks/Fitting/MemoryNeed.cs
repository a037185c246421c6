using Cairn.Frameworks.ModelCatalog;

namespace Cairn.Frameworks.Fitting;

/// <summary>What lies in the memory of one accelerator, in bytes.</summary>
/// <param name="Usable">What the engine may take of it.</param>
/// <param name="Weights">This accelerator's share.</param>
/// <param name="Workspace">Activations of the largest step and the logits of all sequences.</param>
/// <param name="Runtime">The engine's process and libraries.</param>
/// <param name="PerSequence">Keys and values of one sequence of the full context.</param>
public sealed record MemoryNeed(long Usable, long Weights, long Workspace, long Runtime, long PerSequence)
{
    /// <summary>What is left for keys and values; below 0 where not even the weights fit.</summary>
    public long ForSequences => Usable - Weights - Workspace - Runtime;

    /// <summary>Whole sequences that fit.</summary>
    public long Sequences => PerSequence == 0 ? long.MaxValue : Math.Max(0, ForSequences) / PerSequence;

    /// <summary>What one accelerator needs to serve <paramref name="sequences"/> at once.</summary>
    public long NeededFor(int sequences) => Weights + Workspace + Runtime + sequences * PerSequence;

    internal static MemoryNeed Of(
        OpenModel model, FitNeed need, WeightPrecision precision, Layout layout, ServingAccelerator accelerator, EngineEfficiency engine)
    {
        var shape = model.Shape;
        var split = layout.TensorParallel * layout.Stages;
        var sequences = need.Concurrency ?? 1;
        var kv = need.OutputTokens == 0
            ? 0
            : ModelMemory.SequenceBytes(shape, need.Context, need.KvPrecision, layout.TensorParallel) / layout.Stages;
        return new MemoryNeed(
            (long)(accelerator.MemoryBytes * need.MemoryShare), (ModelMemory.WeightBytes(model, precision) + split - 1) / split,
            WorkspaceBytes(shape, need.StepTokens, sequences, layout.TensorParallel), engine.RuntimeBytes, kv);
    }

    // The residual stream, queries, attention's output and the widest intermediate of a step's tokens in 16 bits; logits in 32 bits.
    private static long WorkspaceBytes(ModelShape shape, long stepTokens, long sequences, int tensorParallel)
    {
        var experts = shape.FeedForward.Experts;
        var chosen = experts is null ? 0L : (experts.Active + experts.Shared) * experts.Intermediate;
        var width = Math.Max(shape.FeedForward.Intermediate, chosen);
        var activations = stepTokens * 2 * (4L * shape.Hidden + 2 * width / tensorParallel);
        return activations + (shape.Headless ? 0 : sequences * shape.Vocabulary * 4 / tensorParallel);
    }
}
