using Cairn.Contracts.Wire;
using Cairn.Hardware.Discovery;

namespace Cairn.Hardware.Benchmarks;

/// <summary>
/// Measures what a machine does with its processors, memory and disk, one after the other, each for about the same time. The figures are
/// of this moment and of what the process may use; other work on the machine lowers them.
/// </summary>
/// <param name="time">The clock that measures.</param>
/// <param name="phaseSeconds">How long each of the three measurements lasts, 0.01 to 60; default 0.2.</param>
public sealed class SelfBenchmark(TimeProvider time, double phaseSeconds = 0.2)
{
    private readonly TimeSpan _phase = phaseSeconds is >= 0.01 and <= 60
        ? TimeSpan.FromSeconds(phaseSeconds)
        : throw new ArgumentOutOfRangeException(nameof(phaseSeconds), phaseSeconds, "A phase lasts from 0.01 to 60 seconds.");

    /// <summary>Blocks the caller and uses all processors meanwhile; call it from a thread of its own.</summary>
    /// <param name="diskFolder">An existing folder on the disk to measure; one file is written there and deleted. A folder that cannot be
    /// written to reads 0.</param>
    /// <param name="cancellationToken">Ends the measurement between two rounds.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Benchmark Run(string diskFolder, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(diskFolder);
        var threads = Environment.ProcessorCount;
        return new Benchmark
        {
            Fp32Flops = FloatingPoint.Measure(time, _phase, threads, cancellationToken),
            MemoryBytesPerSecond = MemoryTriad.Measure(time, _phase, threads, cancellationToken),
            DiskBytesPerSecond = DiskWrite.Measure(time, _phase, diskFolder, FreeDisk.BytesAt(diskFolder), cancellationToken),
        };
    }
}
