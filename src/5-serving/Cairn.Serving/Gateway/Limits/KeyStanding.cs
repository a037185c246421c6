namespace Cairn.Serving.Gateway.Limits;

/// <summary>How far a key is from its own limits, for the headers that clients slow down by.</summary>
/// <param name="RequestsReset">When the requests of the window will have left it.</param>
internal readonly record struct KeyStanding(long? RequestsLimit, long RequestsLeft, TimeSpan RequestsReset, long? TokensLimit, long TokensLeft, TimeSpan TokensReset)
{
    public static KeyStanding Of(KeyAccount account, DateTimeOffset now)
    {
        lock (account.TreeLock)
        {
            account.Advance(now);
            var limits = account.Limits;
            return new KeyStanding(
                limits.RequestsPerMinute, Left(limits.RequestsPerMinute, account.Requests), account.Requests.UntilAtMost(0, now),
                limits.TokensPerMinute, Left(limits.TokensPerMinute, account.Tokens), account.Tokens.UntilAtMost(0, now));
        }
    }

    private static long Left(long? limit, SlidingMinute used) => Math.Max(0, (limit ?? 0) - used.Sum);
}
