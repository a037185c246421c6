using System.Diagnostics;

namespace Cairn.State.Tests;

/// <summary>Waits for a condition, and fails when it does not come about.</summary>
internal static class Wait
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    public static Task Until(Func<bool> condition) => Until(() => Task.FromResult(condition()));

    public static async Task Until(Func<Task<bool>> condition,
        [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(condition))] string what = "")
    {
        var start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < s_patience, $"This did not come about: {what}");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }
}
