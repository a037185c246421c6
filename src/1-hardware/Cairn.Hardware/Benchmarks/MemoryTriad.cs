using System.Numerics;
using System.Runtime.InteropServices;

namespace Cairn.Hardware.Benchmarks;

/// <summary>
/// The triad of STREAM, <c>a[i] = b[i] + q × c[i]</c>, counted as STREAM counts it: three arrays' bytes per pass, the best pass wins. Its
/// rule that an array be at least four times the last cache is met for caches up to 16 MB; larger ones lift the figure (J. D. McCalpin,
/// "Memory Bandwidth and Machine Balance in Current High Performance Computers", IEEE TCCA Newsletter, December 1995).
/// </summary>
internal static class MemoryTriad
{
    private const long ArrayBytes = 64L << 20;
    private const long LeastArrayBytes = 4L << 20;

    /// <returns>Bytes per second of all threads together.</returns>
    public static double Measure(TimeProvider time, TimeSpan phase, int threads, CancellationToken cancellationToken)
    {
        var available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        var elements = (int)(Math.Clamp(available / 32, LeastArrayBytes, ArrayBytes) / sizeof(float) / threads);
        using var together = new Barrier(threads);
        var slowestOfPass = new long[threads];
        var best = 0.0;
        var start = time.GetTimestamp();
        var ended = false;
        OnAllCores.Run(threads, i =>
        {
            var arrays = new Triad(elements);
            arrays.Pass();
            while (!Volatile.Read(ref ended))
            {
                together.SignalAndWait(CancellationToken.None);
                var began = time.GetTimestamp();
                arrays.Pass();
                slowestOfPass[i] = time.GetElapsedTime(began).Ticks;
                together.SignalAndWait(CancellationToken.None);
                if (i == 0)
                {
                    best = Math.Max(best, 3.0 * sizeof(float) * elements * threads / TimeSpan.FromTicks(slowestOfPass.Max()).TotalSeconds);
                    Volatile.Write(ref ended, time.GetElapsedTime(start) >= phase || cancellationToken.IsCancellationRequested);
                }

                together.SignalAndWait(CancellationToken.None);
            }

            return 0;
        });
        cancellationToken.ThrowIfCancellationRequested();
        return best;
    }

    /// <summary>One thread's share, touched first by the thread that uses it, so that its pages lie near it.</summary>
    private sealed class Triad
    {
        private readonly float[] _a;
        private readonly float[] _b;
        private readonly float[] _c;

        public Triad(int elements)
        {
            _a = GC.AllocateUninitializedArray<float>(elements);
            _b = GC.AllocateUninitializedArray<float>(elements);
            _c = GC.AllocateUninitializedArray<float>(elements);
            _a.AsSpan().Fill(1);
            _b.AsSpan().Fill(2);
            _c.AsSpan().Fill(3);
        }

        public void Pass()
        {
            var a = MemoryMarshal.Cast<float, Vector<float>>(_a.AsSpan());
            var b = MemoryMarshal.Cast<float, Vector<float>>(_b.AsSpan());
            var c = MemoryMarshal.Cast<float, Vector<float>>(_c.AsSpan());
            var q = new Vector<float>(0.5f);
            for (var i = 0; i < a.Length; i++)
                a[i] = b[i] + q * c[i];
        }
    }
}
