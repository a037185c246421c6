using Cairn.Contracts.Jobs;

namespace Cairn.Fleet.Tests.Jobs;

public sealed class A_job_runs
{
    private const string Echo = "name: echo\nrun: echo hello\n";

    [Fact]
    public async Task From_submission_to_success()
    {
        await using var world = await World.OpenAsync();
        await world.AddNodeAsync("worker-1");
        var job = await world.SubmitAsync(Echo);
        var view = await world.UntilAsync(job.Id, JobPhase.Succeeded);
        Assert.Equal(["queued", "placed", "running", "ended"], view.Timeline!.Select(e => e.Kind));
        Assert.Equal("worker-1", view.Attempts!.Single().Tasks.Single().Node);
        Assert.Equal(EndReasons.Succeeded, view.Reason);
    }

    [Fact]
    public async Task On_a_node_of_another_kind_that_joined_while_it_waited()
    {
        await using var world = await World.OpenAsync();
        await world.AddNodeAsync("away", World.Machine(provider: "acme"), attach: false);
        var job = await world.SubmitAsync(Echo);
        await world.TurnAsync();
        Assert.Equal(JobPhase.Queued, job.Phase);
        await world.AddNodeAsync("joined", World.Machine(provider: "other"));
        var view = await world.UntilAsync(job.Id, JobPhase.Succeeded);
        Assert.Equal("other", view.Provider);
    }

    [Fact]
    public async Task With_devices_that_no_other_task_has()
    {
        await using var world = await World.OpenAsync();
        var node = await world.AddNodeAsync("gpus", World.Machine(devices: 4));
        node.OnRunning = _ => { };
        for (var i = 0; i < 3; i++)
            await world.SubmitAsync("name: half\nrun: train\nresources:\n  accelerators: H100:2\n");
        await world.UntilAsync(() => node.Tasks.Count == 2, "two of them fit");
        await world.TurnAsync();
        Assert.Equal([0, 1, 2, 3], node.Tasks.SelectMany(t => t.Start.DeviceIndexes).Order());
        Assert.Equal(4, world.Board.UseOf(node.Id).Accelerators);
        node.Tasks[0].End(EndReasons.Succeeded, 0);
        await world.UntilAsync(() => node.Heard.Count(m => m.Start is not null) == 3, "the third has taken its place");
    }

    [Fact]
    public async Task And_is_billed_for_its_time_though_its_start_and_end_are_looked_at_together()
    {
        await using var world = await World.OpenAsync();
        var node = await world.AddNodeAsync("one");
        node.OnRunning = task =>
        {
            world.Clock.Advance(TimeSpan.FromSeconds(2));
            task.End(EndReasons.Succeeded, 0);
        };
        var job = await world.SubmitAsync("name: short\nrun: work\n");
        var view = await world.UntilAsync(job.Id, JobPhase.Succeeded);
        Assert.Equal(2, view.Attempts![0].Tasks.Single().BilledSeconds);
    }
}
