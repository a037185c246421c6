namespace Cairn.Node.Link;

/// <summary>
/// How long to wait before the next try to reach the server: exponential with full jitter above half, 0.5 s to 30 s, so that thousands
/// of nodes do not return at once; the first retry after a working connection is fast.
/// </summary>
internal static class Backoff
{
    public static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    public static readonly TimeSpan Least = TimeSpan.FromMilliseconds(500);
    public static readonly TimeSpan Most = TimeSpan.FromSeconds(30);

    /// <param name="failures">Tries that failed since the last working connection; 0 right after one broke.</param>
    /// <param name="random">Uniform in 0 to 1.</param>
    public static TimeSpan Delay(int failures, double random)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(failures);
        if (failures == 0)
            return First * random;
        var ceiling = TimeSpan.FromSeconds(Math.Min(Most.TotalSeconds, Least.TotalSeconds * Math.Pow(2, Math.Min(failures, 16))));
        var floor = TimeSpan.FromSeconds(Math.Max(Least.TotalSeconds, ceiling.TotalSeconds / 2));
        return floor + (ceiling - floor) * random;
    }
}
