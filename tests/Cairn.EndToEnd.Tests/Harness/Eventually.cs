using System.Diagnostics;

namespace Cairn.EndToEnd.Tests;

/// <summary>Waits on a condition, for as long as a busy machine may need.</summary>
internal static class Eventually
{
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(4);

    public static async Task<T> GetAsync<T>(Func<Task<T?>> look, string what) where T : class
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            if (await look() is { } found)
                return found;
            if (Stopwatch.GetElapsedTime(began) > s_longest)
                throw new TimeoutException($"It did not come to be within {s_longest.TotalSeconds} s: {what}");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    public static async Task TrueAsync(Func<Task<bool>> look, string what) =>
        await GetAsync(async () => await look() ? what : null, what);
}
