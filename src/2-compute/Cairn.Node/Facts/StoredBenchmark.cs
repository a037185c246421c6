using Cairn.Contracts.Wire;
using Cairn.Hardware.Benchmarks;
using Cairn.Node.Durable;
using Google.Protobuf;

namespace Cairn.Node.Facts;

/// <summary>What the machine can do, measured once per data folder.</summary>
internal static class StoredBenchmark
{
    public static Benchmark? Read(string file)
    {
        try
        {
            return File.Exists(file) ? Benchmark.Parser.ParseFrom(File.ReadAllBytes(file)) : null;
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    /// <summary>Measures and stores. An interrupted measurement leaves nothing and is made at the next start.</summary>
    public static void Measure(
        string file, string diskFolder, TimeProvider clock, Action<Benchmark> measured, CancellationToken cancellationToken)
    {
        try
        {
            var benchmark = new SelfBenchmark(clock).Run(diskFolder, cancellationToken);
            AtomicFile.Write(file, benchmark.ToByteArray());
            // The arrays that measured the memory are given back: a daemon is small for the rest of its life.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            measured(benchmark);
        }
        catch (OperationCanceledException)
        {
        }
    }
}
