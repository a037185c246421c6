using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Tests.Jobs;

namespace Cairn.Fleet.Tests.Recovery;

public sealed class A_job_recovers
{
    private const string Pair = "name: pair\nnodes: 2\nresources:\n  spread: true\nrun: train\n";

    [Fact]
    public async Task From_a_failure_that_its_policy_tries_again()
    {
        await using var world = await World.OpenAsync();
        var node = await world.AddNodeAsync("one");
        node.OnRunning = task =>
            task.End(task.Start.Attempt < 3 ? EndReasons.ExitCode : EndReasons.Succeeded, task.Start.Attempt < 3 ? 75 : 0);
        var job = await world.SubmitAsync("name: flaky\nrun: try\nretries:\n  max: 2\n  on_exit_codes: [75]\n");
        await world.UntilAsync(() => job.Failures == 1, "the first failure is counted");
        world.Advance(TimeSpan.FromSeconds(2));
        await world.UntilAsync(() => job.Failures == 2, "the second failure is counted");
        world.Advance(TimeSpan.FromSeconds(3));
        var view = await world.UntilAsync(job.Id, JobPhase.Succeeded);
        Assert.Equal([1, 2, 3], view.Attempts!.Select(a => a.Number));
        Assert.Equal(["exit_code", "exit_code", "succeeded"], view.Attempts!.Select(a => a.Reason));
    }

    [Fact]
    public async Task From_a_lost_node_by_starting_the_gang_again_from_its_checkpoint()
    {
        await using var world = await World.OpenAsync();
        var nodes = new[] { await world.AddNodeAsync("one"), await world.AddNodeAsync("two"), await world.AddNodeAsync("three") };
        foreach (var node in nodes)
            node.OnRunning = _ => { };
        var job = await world.SubmitAsync(Pair + "checkpoints:\n  path: ckpt\n");
        await world.UntilAsync(job.Id, JobPhase.Running);
        await world.UntilAsync(() => nodes.SelectMany(n => n.Tasks).Count(t => t.Phase == TaskPhase.Running) == 2, "both ranks run");
        var lost = nodes.First(n => n.Tasks.Count > 0);
        var left = lost.Tasks.Single();
        foreach (var task in nodes.SelectMany(n => n.Tasks))
            task.Leave("checkpoint", checkpoint: true, ("step-5", new string('a', 64), 10));
        await world.UntilAsync(() => job.HasCheckpoint, "the checkpoint is kept");

        lost.BecomeLost();
        await world.UntilAsync(() =>
            nodes.Where(n => n != lost).SelectMany(n => n.Tasks).Count(t => t.Phase == TaskPhase.Running && t.Start.Attempt == 2) == 2,
            "the second attempt runs");
        var second = nodes.Where(n => n != lost).SelectMany(n => n.Tasks).Where(t => t.Start.Attempt == 2).ToList();
        Assert.All(second, t => Assert.Equal("step-5", t.Start.Checkpoint.Files.Single().Path));
        Assert.Equal(1, job.Losses);

        // The lost node was only away: it comes back, is told to forget its task, and what it reports is stale.
        await lost.AttachAsync();
        Assert.DoesNotContain(left, lost.Tasks);
        left.End(EndReasons.Succeeded, 0);
        await world.UntilAsync(() => lost.Heard.Any(m => m.ReportAck is { Stale: true }), "the late report is refused");
        foreach (var task in second)
            task.End(EndReasons.Succeeded, 0);
        var view = await world.UntilAsync(job.Id, JobPhase.Succeeded);
        Assert.Equal(2, view.Attempts!.Count);
    }

    [Fact]
    public async Task But_not_from_what_a_node_said_before_it_gave_up_attaching()
    {
        await using var world = await World.OpenAsync();
        var node = await world.AddNodeAsync("one");
        node.OnRunning = _ => { };
        var job = await world.SubmitAsync("name: steady\nrun: work\n");
        await world.UntilAsync(job.Id, JobPhase.Running);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => world.Work.ReplayAsync(node.Id, [], new CancellationToken(canceled: true)));
        await world.TurnAsync();
        Assert.Equal((JobPhase.Running, 0, 1), (job.Phase, job.Losses, job.Attempt));
    }

    [Fact]
    public async Task From_a_lost_node_by_replacing_its_rank_alone()
    {
        await using var world = await World.OpenAsync();
        var nodes = new[] { await world.AddNodeAsync("one"), await world.AddNodeAsync("two"), await world.AddNodeAsync("three") };
        foreach (var node in nodes)
            node.OnRunning = _ => { };
        var job = await world.SubmitAsync(Pair + "retries:\n  restart: lost\n");
        await world.UntilAsync(() => nodes.SelectMany(n => n.Tasks).Count(t => t.Phase == TaskPhase.Running) == 2, "both ranks run");
        var lost = nodes.First(n => n.Tasks.Count > 0);
        var stays = nodes.Last(n => n.Tasks.Count > 0 && n != lost).Tasks.Single();
        lost.BecomeLost();
        await world.UntilAsync(() =>
            nodes.Where(n => n != lost).SelectMany(n => n.Tasks).Any(t => t.Phase == TaskPhase.Running && t.Start.Attempt == 2),
            "the rank runs elsewhere");
        Assert.Equal(TaskPhase.Running, stays.Phase);
        await world.UntilAsync(() => stays.Node.Heard.Any(m => m.PeersChanged is not null), "the other rank is told");
        Assert.DoesNotContain(stays.Node.Heard, m => m.Stop is not null);
        foreach (var task in nodes.Where(n => n != lost).SelectMany(n => n.Tasks))
            task.End(EndReasons.Succeeded, 0);
        var view = await world.UntilAsync(job.Id, JobPhase.Succeeded);
        Assert.Equal([2, 1], view.Attempts!.Select(a => a.Tasks.Count));
    }

    [Fact]
    public async Task But_waits_for_the_lease_where_two_attempts_must_never_work_at_once()
    {
        await using var world = await World.OpenAsync();
        var one = await world.AddNodeAsync("one");
        one.OnRunning = _ => { };
        var job = await world.SubmitAsync("name: single\nrun: work\nretries:\n  disconnected: stop\n");
        await world.UntilAsync(job.Id, JobPhase.Running);
        var two = await world.AddNodeAsync("two");
        Assert.Equal(60, one.Tasks.Single().Start.LeaseSeconds);
        one.BecomeLost();
        await world.UntilAsync(() => job.Phase == JobPhase.Recovering, "it recovers");
        world.Advance(TimeSpan.FromSeconds(64));
        await world.TurnAsync();
        Assert.Empty(two.Tasks);
        world.Advance(TimeSpan.FromSeconds(2));
        await world.UntilAsync(() => job.HasEnded, "it ran elsewhere");
        await world.UntilAsync(job.Id, JobPhase.Succeeded);
    }

    [Fact]
    public async Task From_a_drained_node_by_moving()
    {
        await using var world = await World.OpenAsync();
        var one = await world.AddNodeAsync("one");
        one.OnRunning = _ => { };
        var job = await world.SubmitAsync("name: single\nrun: work\n");
        await world.UntilAsync(job.Id, JobPhase.Running);
        await world.AddNodeAsync("two");
        world.Nodes.SetPhase(one.Node, NodePhase.Draining);
        var view = await world.UntilAsync(job.Id, JobPhase.Succeeded);
        Assert.Equal(["one", "two"], view.Attempts!.Select(a => a.Tasks.Single().Node));
        Assert.Equal(EndReasons.NodeDrained, view.Attempts![0].Reason);
        Assert.Equal(0, job.Failures + job.Losses);
    }

    [Fact]
    public async Task From_a_machine_that_came_back_empty()
    {
        await using var world = await World.OpenAsync();
        var one = await world.AddNodeAsync("one");
        one.OnRunning = _ => { };
        var job = await world.SubmitAsync("name: single\nrun: work\n");
        await world.UntilAsync(job.Id, JobPhase.Running);
        one.Detach();
        one.ForgetEverything();
        one.OnRunning = task => task.End(EndReasons.Succeeded, 0);
        await one.AttachAsync();
        var view = await world.UntilAsync(job.Id, JobPhase.Succeeded);
        Assert.Equal(2, view.Attempts!.Count);
        Assert.Equal(1, job.Losses);
    }

    [Fact]
    public async Task A_start_that_was_not_heard_is_repeated_when_the_node_is_back()
    {
        await using var world = await World.OpenAsync();
        var one = await world.AddNodeAsync("one");
        one.OnStart = _ => { };
        var job = await world.SubmitAsync("name: single\nrun: work\n");
        await world.UntilAsync(() => one.Tasks.Count == 1, "the node was asked");
        one.Detach();
        one.ForgetEverything();
        one.OnStart = task => task.Prepare();
        await one.AttachAsync();
        var view = await world.UntilAsync(job.Id, JobPhase.Succeeded);
        Assert.Single(view.Attempts!);
    }

    [Fact]
    public async Task A_rank_that_fails_because_a_machine_died_does_not_use_up_the_retries()
    {
        await using var world = await World.OpenAsync();
        var nodes = new[] { await world.AddNodeAsync("one"), await world.AddNodeAsync("two"), await world.AddNodeAsync("three"),
            await world.AddNodeAsync("four") };
        foreach (var node in nodes)
            node.OnRunning = _ => { };
        var job = await world.SubmitAsync(Pair);
        await world.UntilAsync(() => nodes.SelectMany(n => n.Tasks).Count(t => t.Phase == TaskPhase.Running) == 2, "both ranks run");
        var busy = nodes.Where(n => n.Tasks.Count > 0).ToList();
        busy[0].Detach();
        busy[1].Tasks.Single().End(EndReasons.ExitCode, 1);
        await world.UntilAsync(() => job.Phase == JobPhase.Recovering, "it recovers");
        foreach (var node in nodes)
            node.OnRunning = task => task.End(EndReasons.Succeeded, 0);
        busy[0].BecomeLost();
        await world.UntilAsync(job.Id, JobPhase.Succeeded);
        Assert.Equal(0, job.Failures);
        Assert.Equal(1, job.Losses);
    }
}
