using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Units;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Jobs;
using Cairn.State;

namespace Cairn.Fleet.Tests.Jobs;

public sealed class A_server_is_killed
{
    [Fact]
    public async Task And_what_runs_goes_on_with_one_attempt_and_the_right_bill()
    {
        await using var world = await World.OpenAsync();
        var node = await world.AddNodeAsync("one");
        node.OnRunning = _ => { };
        var job = await world.SubmitAsync("name: long\nresources: {cpus: 8}\nrun: work\n");
        await world.UntilAsync(job.Id, JobPhase.Running);
        await world.UntilAsync(() => node.Heard.Any(m => m.ReportAck?.Sequence == 2), "the server knows that it runs");
        world.Advance(TimeSpan.FromSeconds(100));
        await world.KillAsync();

        // The server is away for an hour; the task ends 50 s after the kill.
        world.Clock.Advance(TimeSpan.FromSeconds(50));
        node.Tasks.Single().End(EndReasons.Succeeded, 0);
        world.Clock.Advance(TimeSpan.FromHours(1));
        await using var again = await World.OpenAsync(world.Folder, world.Options, time: world.Time);
        node.MoveTo(again);
        await node.AttachAsync();
        var view = await again.UntilAsync(job.Id, JobPhase.Succeeded);
        Assert.Single(view.Attempts!);
        Assert.Equal(150, view.Attempts![0].Tasks.Single().BilledSeconds);
        Assert.Equal(HourlyPrice.FromUsd(3.6m).CostOf(TimeSpan.FromSeconds(150)), view.Cost);
    }

    [Fact]
    public async Task And_a_write_that_fails_while_the_next_begins_is_made_again()
    {
        await using var world = await World.OpenAsync();
        var node = await world.AddNodeAsync("one");
        node.OnRunning = _ => { };
        var job = await world.SubmitAsync("name: long\nrun: work\n");
        await world.UntilAsync(job.Id, JobPhase.Running);
        await world.UntilAsync(() => node.Heard.Any(m => m.ReportAck?.Sequence == 2), "the server knows that it runs");
        world.Clock.Advance(TimeSpan.FromSeconds(10));
        await world.KillAsync();

        // The node was removed meanwhile: the job's end is the first thing that the next server writes.
        await using var again = await World.OpenAsync(world.Folder, world.Options with { Runs = false }, time: world.Time);
        Assert.Null(again.Board.Content);
        var asked = again.Work.NodeOfAsync(new TaskId(Guid.NewGuid()), TestContext.Current.CancellationToken);
        again.Funds.Fault = new StoreException(StoreFault.Busy, "The database is locked.");
        await Assert.ThrowsAsync<StoreException>(() => again.Reconciler.ReconcileAsync(null, TestContext.Current.CancellationToken));
        Assert.Null(again.Board.Content);
        Assert.False(asked.IsCompleted);

        await again.Reconciler.ReconcileAsync(null, TestContext.Current.CancellationToken);
        Assert.NotNull(again.Board.Content);
        Assert.Null(await asked);
        Assert.Equal(EndReasons.NodeRemoved, (await again.WholeAsync(job.Id)).Attempts![0].Tasks.Single().Reason);
    }

    [Fact]
    public async Task And_a_queued_job_is_placed_by_the_next()
    {
        await using var world = await World.OpenAsync();
        var node = await world.AddNodeAsync("one", attach: false);
        var job = await world.SubmitAsync("name: waits\nrun: work\n");
        await world.KillAsync();
        await using var again = await World.OpenAsync(world.Folder, world.Options, time: world.Time);
        node.MoveTo(again);
        await node.AttachAsync();
        Assert.Single((await again.UntilAsync(job.Id, JobPhase.Succeeded)).Attempts!);
    }

    [Fact]
    [Trait("speed", "slow")]
    public async Task At_any_moment_and_no_accepted_job_is_lost_run_twice_or_billed_twice()
    {
        var random = new Random(20260301);
        var folder = Directory.CreateTempSubdirectory("cairn-fleet-").FullName;
        var options = new WorldOptions { RealTime = true, RemembersMessages = false };
        var accepted = new List<JobId>();
        var live = new LiveEpochs();
        var nodes = new List<SimulatedNode>();
        var world = await World.OpenAsync(folder, options);
        for (var i = 0; i < 6; i++)
            nodes.Add(await world.AddNodeAsync($"node-{i}", attach: false));
        foreach (var node in nodes)
            node.OnRunning = task => live.Run(task, random);

        for (var round = 0; round < 6; round++)
        {
            if (round > 0)
            {
                world = await World.OpenAsync(folder, options);
                foreach (var node in nodes)
                    node.MoveTo(world);
            }
            foreach (var node in nodes)
                await node.AttachAsync();
            var submitting = SubmitSomeAsync(world, accepted, 40);
            await Task.Delay(random.Next(20, 150));
            await world.KillAsync();
            await submitting;
        }

        world = await World.OpenAsync(folder, options);
        foreach (var node in nodes)
        {
            node.MoveTo(world);
            node.OnRunning = task => task.End(EndReasons.Succeeded, 0);
            await node.AttachAsync();
            foreach (var task in node.Tasks.Where(t => t.Phase == TaskPhase.Running))
                task.End(EndReasons.Succeeded, 0);
        }
        foreach (var job in accepted)
            Assert.Equal(JobPhase.Succeeded, (await world.UntilAsync(job, JobPhase.Succeeded)).Phase);
        Assert.Empty(live.Twice);
        Assert.Empty(await world.RowsAsync<string>(
            """
            SELECT t.id FROM tasks t LEFT JOIN test_charges c ON c.lease_id = t.id
            WHERE t.ended_at IS NULL OR c.finals IS NULL OR c.finals <> 1 OR c.total <> t.settled
            """));
        Assert.Empty(await world.RowsAsync<string>("SELECT job_id FROM tasks GROUP BY job_id, rank, attempt HAVING COUNT(*) > 1"));
        Assert.Empty(await world.RowsAsync<string>("SELECT job_id FROM test_holds WHERE held <> 0 OR closed <> 1"));
        await world.KillAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static async Task SubmitSomeAsync(World world, List<JobId> accepted, int count)
    {
        try
        {
            for (var i = 0; i < count; i++)
            {
                var job = await world.SubmitAsync(i % 4 == 0 ? "name: pair\nnodes: 2\nrun: work\n" : "name: single\nrun: work\n");
                accepted.Add(job.Id);
            }
        }
        catch (Exception error) when (error is StoreException or OperationCanceledException or ObjectDisposedException)
        {
            // The server died; this one was not accepted.
        }
    }

    /// <summary>What runs where: two tasks of one rank under its newest epoch must never run at once.</summary>
    private sealed class LiveEpochs
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<(string Job, int Rank, long Epoch), string> _running = [];

        public List<string> Twice { get; } = [];

        public void Run(SimulatedTask task, Random random)
        {
            bool ends;
            lock (_gate)
            {
                if (!_running.TryAdd((task.Start.JobId, task.Start.Rank, task.Start.Epoch), task.Id))
                    Twice.Add($"rank {task.Start.Rank} of {task.Start.JobName} under epoch {task.Start.Epoch}");
                ends = random.Next(3) > 0;
            }
            if (ends)
                task.End(EndReasons.Succeeded, 0);
        }
    }
}
