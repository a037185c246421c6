namespace Cairn.Hardware.Benchmarks;

/// <summary>Runs one piece of work per processor at the same time.</summary>
internal static class OnAllCores
{
    /// <param name="threads">How many at once.</param>
    /// <param name="work">Gets its number and returns what it did; all begin together.</param>
    /// <returns>What each returned.</returns>
    public static double[] Run(int threads, Func<int, double> work)
    {
        var done = new double[threads];
        using var start = new Barrier(threads);
        var workers = Enumerable.Range(0, threads).Select(i => new Thread(() =>
        {
            start.SignalAndWait();
            done[i] = work(i);
        })
        { IsBackground = true, Name = $"benchmark-{i}" }).ToList();
        workers.ForEach(worker => worker.Start());
        workers.ForEach(worker => worker.Join());
        return done;
    }
}
