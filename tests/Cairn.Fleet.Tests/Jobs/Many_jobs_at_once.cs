using System.Diagnostics;
using Cairn.Contracts.Jobs;

namespace Cairn.Fleet.Tests.Jobs;

public sealed class Many_jobs_at_once
{
    [Fact]
    public async Task Keep_a_rate_that_is_printed()
    {
        const int Jobs = 4_000;
        await using var world = await World.OpenAsync(new WorldOptions { RealTime = true, RemembersMessages = false });
        for (var i = 0; i < 100; i++)
            await world.AddNodeAsync($"worker-{i}");
        var start = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(Enumerable.Range(0, Jobs), new ParallelOptions { MaxDegreeOfParallelism = 256 },
            async (_, _) => await world.SubmitAsync("name: echo\nrun: echo hello\n"));
        var submitted = Stopwatch.GetElapsedTime(start);
        await world.UntilAsync(() => world.Board.JobCount == 0, "every job has ended");
        // The board shows a moment that is about to be committed.
        while ((await world.RowsAsync<long>("SELECT COUNT(*) FROM jobs WHERE ended_at IS NULL"))[0] > 0)
            await Task.Delay(5);
        var took = Stopwatch.GetElapsedTime(start);
        var ended = await world.RowsAsync<string>("SELECT phase FROM jobs");
        Assert.Equal(Jobs, ended.Count(p => p == "succeeded"));
        Assert.Equal(Jobs, (await world.RowsAsync<long>("SELECT finals FROM test_charges WHERE finals = 1")).Count);
        Console.WriteLine($"{Jobs / took.TotalSeconds:N0} jobs/s with nodes in memory; "
            + $"submissions alone {Jobs / submitted.TotalSeconds:N0}/s");
    }
}
