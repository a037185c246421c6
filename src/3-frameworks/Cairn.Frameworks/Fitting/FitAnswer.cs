namespace Cairn.Frameworks.Fitting;

/// <summary>Whether a model can be served on a machine: <see cref="Fits"/> or <see cref="DoesNotFit"/>.</summary>
public abstract record FitAnswer
{
    private FitAnswer()
    {
    }

    /// <summary>It can, in the layout that gives the machine the most tokens per second.</summary>
    /// <param name="Precision">Of the weights.</param>
    /// <param name="Layout">Of one replica.</param>
    /// <param name="Replicas">That stand side by side on the machine, or on the machines that one replica needs.</param>
    /// <param name="FewestAccelerators">The smallest number of accelerators whose memory holds it.</param>
    /// <param name="Memory">Of one accelerator.</param>
    /// <param name="Speed">Of one replica; null where the accelerator's vendor publishes no rate to compute with.</param>
    public sealed record Fits(
        WeightPrecision Precision, Layout Layout, int Replicas, int FewestAccelerators, MemoryNeed Memory, SpeedEstimate? Speed) : FitAnswer
    {
        /// <summary>Input tokens per second of all replicas.</summary>
        public double InputTokensPerSecond => Replicas * (Speed?.InputTokensPerSecond ?? 0);

        /// <summary>Output tokens per second of all replicas.</summary>
        public double OutputTokensPerSecond => Replicas * (Speed?.OutputTokensPerSecond ?? 0);
    }

    /// <summary>It cannot.</summary>
    /// <param name="Reasons">One or more sentences with what is needed and what is there.</param>
    public sealed record DoesNotFit(IReadOnlyList<string> Reasons) : FitAnswer;
}
