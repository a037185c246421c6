using System.Diagnostics;

namespace Cairn.Bench.Gateway;

/// <summary>Loads of threads that each have a connection and wait in the kernel.</summary>
internal static class OpenLoop
{
    private const int StackBytes = 256 << 10;

    /// <summary>Requests leave at fixed times whether or not earlier ones were answered, and count from when they should have left.</summary>
    /// <returns>Milliseconds.</returns>
    public static List<double> Run(Uri to, int perSecond, TimeSpan length)
    {
        const int connections = 32;
        var (request, times) = (GatewayRequest.To(to), new List<double>());
        var (began, count, next) = (Stopwatch.GetTimestamp() + Stopwatch.Frequency / 10, (int)(perSecond * length.TotalSeconds), -1);
        OnThreads(connections, _ =>
        {
            PreciseSleep.Sharpen();
            using var connection = new KeepAlive(to);
            var mine = new List<double>(count / connections * 2);
            for (var i = Interlocked.Increment(ref next); i < count; i = Interlocked.Increment(ref next))
            {
                var due = began + i * Stopwatch.Frequency / perSecond;
                PreciseSleep.Until(due);
                connection.Ask(request);
                mine.Add(Stopwatch.GetElapsedTime(due).TotalMilliseconds);
            }
            lock (times)
                times.AddRange(mine);
        });
        return times;
    }

    /// <summary>Every connection asks again as soon as it was answered.</summary>
    /// <returns>Requests per second.</returns>
    public static double Saturate(Uri to, int connections, TimeSpan length)
    {
        var request = GatewayRequest.To(to);
        var (answered, began) = (0L, Stopwatch.GetTimestamp());
        OnThreads(connections, _ =>
        {
            using var connection = new KeepAlive(to);
            var mine = 0L;
            for (; Stopwatch.GetElapsedTime(began) < length; mine++)
                connection.Ask(request);
            Interlocked.Add(ref answered, mine);
        });
        return answered / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    /// <summary>Runs something on so many threads, and throws what one of them threw.</summary>
    public static void OnThreads(int count, Action<int> run)
    {
        var (failed, threads) = ((Exception?)null, new Thread[count]);
        for (var i = 0; i < count; i++)
        {
            var number = i;
            threads[i] = new Thread(() =>
            {
                try
                {
                    run(number);
                }
                catch (Exception exception)
                {
                    failed = exception;
                }
            }, StackBytes) { IsBackground = true };
        }
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        if (failed is not null)
            throw new InvalidOperationException("A client failed.", failed);
    }
}
