using Cairn.Hardware.Benchmarks;

namespace Cairn.Hardware.Tests.Benchmarks;

public sealed class The_self_benchmark
{
    [Fact]
    public void Measures_figures_that_hardware_can_reach()
    {
        var folder = Directory.CreateTempSubdirectory("cairn-benchmark-").FullName;
        try
        {
            var measured = new SelfBenchmark(TimeProvider.System, phaseSeconds: 0.1).Run(folder, TestContext.Current.CancellationToken);
            TestContext.Current.TestOutputHelper!.WriteLine(measured.ToString());

            // No core does more than 4 vectors of 16 lanes at 6 GHz, twice for a fused multiply-add.
            Assert.InRange(measured.Fp32Flops, 1e6, Environment.ProcessorCount * 4 * 16 * 2 * 6e9);
            Assert.InRange(measured.MemoryBytesPerSecond, 1e6, 2e13);
            Assert.InRange(measured.DiskBytesPerSecond, 1e3, 1e12);
            Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Reads_zero_for_a_disk_that_cannot_be_written_to()
    {
        var measured = new SelfBenchmark(TimeProvider.System, phaseSeconds: 0.01).Run("/proc/no-such-folder", TestContext.Current.CancellationToken);
        Assert.Equal(0, measured.DiskBytesPerSecond);
        Assert.True(measured.Fp32Flops > 0);
    }

    [Fact]
    public void Ends_when_it_is_cancelled() =>
        Assert.Throws<OperationCanceledException>(() => new SelfBenchmark(TimeProvider.System, phaseSeconds: 60).Run("/", new CancellationToken(canceled: true)));

    [Theory]
    [InlineData(0)]
    [InlineData(61)]
    [InlineData(double.NaN)]
    public void Refuses_a_phase_without_a_sensible_length(double seconds) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new SelfBenchmark(TimeProvider.System, seconds));
}
