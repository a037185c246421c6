using Cairn.Serving.Gateway.Calls;

namespace Cairn.Serving.Batches;

/// <summary>Whether a line is asked again, and when; pure.</summary>
internal static class LineTurn
{
    /// <summary>Tries of a line that fails for another reason than that there is no room for it.</summary>
    public const int MostTries = 5;

    private static readonly TimeSpan s_first = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Limits and missing replicas pass: such a line is asked again as long as its batch lasts. What is broken is tried a few times, and
    /// what is wrong once.
    /// </summary>
    /// <param name="tries">How often it was asked, this answer included.</param>
    /// <param name="left">Until the batch's window ends.</param>
    /// <returns>How long to wait before the next try; null where the answer stands.</returns>
    public static TimeSpan? NextTry(InnerAnswer answer, int tries, TimeSpan left)
    {
        var wait = TimeSpan.FromTicks(Math.Max(Backoff(tries).Ticks, answer.RetryAfter?.Ticks ?? 0));
        if (wait >= left)
            return null;
        return answer switch
        {
            { Broken: true } => tries < MostTries ? wait : null,
            { Status: 429, ShouldRetry: false, RetryAfter: null } => null,
            { Status: 429 or 503 } => wait,
            { Status: 408 or 500 or 502 or 504 } => tries < MostTries ? wait : null,
            _ => null,
        };
    }

    private static TimeSpan Backoff(int tries)
    {
        var doubled = s_first * Math.Pow(2, Math.Min(tries - 1, 10));
        return doubled < s_longest ? doubled : s_longest;
    }
}
