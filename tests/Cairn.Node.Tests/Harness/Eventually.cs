using System.Diagnostics;

namespace Cairn.Node.Tests.Harness;

/// <summary>Waits on conditions, with a deadline that says what was waited for.</summary>
internal static class Eventually
{
    public static async Task TrueAsync(Func<bool> condition, string what, int seconds = 120)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            if (watch.Elapsed > TimeSpan.FromSeconds(seconds))
                throw new TimeoutException($"waited {seconds} s for: {what}");
            await Task.Delay(2);
        }
    }

    public static async Task<T> GetAsync<T>(Func<T?> value, string what, int seconds = 120) where T : class
    {
        T? found = null;
        await TrueAsync(() => (found = value()) is not null, what, seconds);
        return found!;
    }
}
