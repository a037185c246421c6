using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;

namespace Cairn.Fleet.Tests.Jobs;

public sealed class A_gang_starts_together
{
    private const string Pair = "name: pair\nnodes: 2\nresources:\n  spread: true\nrun: train\n";

    [Fact]
    public async Task No_rank_begins_before_every_rank_is_ready()
    {
        await using var world = await World.OpenAsync();
        var slow = new TaskCompletionSource<SimulatedTask>();
        var one = await world.AddNodeAsync("one");
        var two = await world.AddNodeAsync("two");
        one.OnRunning = two.OnRunning = _ => { };
        two.OnStart = slow.SetResult;
        var job = await world.SubmitAsync(Pair);
        var late = await slow.Task.WaitAsync(TimeSpan.FromMinutes(2));
        await world.UntilAsync(() => one.Tasks.SingleOrDefault()?.Phase == TaskPhase.Ready, "the quick rank is ready");
        await world.TurnAsync();
        Assert.DoesNotContain(one.Heard, m => m.BodyCase == ServerMessage.BodyOneofCase.Begin);
        Assert.Equal(JobPhase.Starting, (await world.WholeAsync(job.Id)).Phase);

        late.Prepare();
        await world.UntilAsync(job.Id, JobPhase.Running);
        await world.UntilAsync(() => one.Tasks.Concat(two.Tasks).All(t => t.Phase == TaskPhase.Running), "both run");
        var begins = one.Heard.Concat(two.Heard).Where(m => m.Begin is not null).Select(m => m.Begin).ToList();
        Assert.Equal(2, begins.Count);
        Assert.Single(begins.Select(b => b.MasterPort).Distinct());
        Assert.InRange(begins[0].MasterPort, 20_000, 29_999);
        Assert.All(begins, b => Assert.Equal([0, 1], b.Peers.Select(p => p.Rank)));
        Assert.All(begins, b => Assert.All(b.Peers, p => Assert.Equal("10.0.0.1", p.Address)));

        foreach (var task in one.Tasks.Concat(two.Tasks))
            task.End(EndReasons.Succeeded, 0);
        await world.UntilAsync(job.Id, JobPhase.Succeeded);
    }

    [Fact]
    public async Task A_gang_that_has_no_room_as_a_whole_takes_none()
    {
        await using var world = await World.OpenAsync();
        var one = await world.AddNodeAsync("one");
        var job = await world.SubmitAsync(Pair);
        await world.UntilAsync(() => job.Message is not null, "it says why it waits");
        Assert.Empty(one.Tasks);
        Assert.Equal(JobPhase.Queued, job.Phase);
        await world.AddNodeAsync("two");
        await world.UntilAsync(job.Id, JobPhase.Succeeded);
    }

    [Fact]
    public async Task When_a_rank_fails_the_others_are_stopped_and_the_job_fails()
    {
        await using var world = await World.OpenAsync();
        var one = await world.AddNodeAsync("one");
        var two = await world.AddNodeAsync("two");
        one.OnRunning = _ => { };
        two.OnRunning = task => task.End(EndReasons.ExitCode, 7);
        var job = await world.SubmitAsync(Pair);
        var view = await world.UntilAsync(job.Id, JobPhase.Failed);
        Assert.Equal(EndReasons.ExitCode, view.Reason);
        Assert.Equal(7, view.ExitCode);
        Assert.Contains(view.Attempts!.Single().Tasks, t => t.Reason == EndReasons.GangEnded);
    }
}
