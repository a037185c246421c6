using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Units;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Jobs;

namespace Cairn.Fleet.Tests.Jobs;

public sealed class A_job_is_stopped
{
    [Fact]
    public async Task At_once_while_it_waits()
    {
        await using var world = await World.OpenAsync();
        await world.AddNodeAsync("one", attach: false);
        var job = await world.SubmitAsync("name: waits\nrun: work\n");
        await world.Stops.StopAsync(job.Id, "ada", null, CancellationToken.None);
        var view = await world.UntilAsync(job.Id, JobPhase.Stopped);
        Assert.Equal(EndReasons.Stopped, view.Reason);
        Assert.Empty(view.Attempts!);
    }

    [Fact]
    public async Task With_the_grace_that_was_asked_for()
    {
        await using var world = await World.OpenAsync();
        var node = await world.AddNodeAsync("one");
        StopTask? heard = null;
        node.OnRunning = _ => { };
        node.OnStop = (_, stop) => heard = stop;
        var job = await world.SubmitAsync("name: runs\nrun: work\n");
        await world.UntilAsync(job.Id, JobPhase.Running);
        await world.Stops.StopAsync(job.Id, "ada", 7, CancellationToken.None);
        await world.UntilAsync(job.Id, JobPhase.Stopping);
        await world.UntilAsync(() => heard is not null, "the node was asked");
        Assert.Equal(7, heard!.GraceSeconds);
        node.Tasks.Single().End(heard.Reason, null, 15);
        await world.UntilAsync(job.Id, JobPhase.Stopped);
    }

    [Fact]
    public async Task Even_when_the_server_dies_between_the_wish_and_the_deed()
    {
        await using var world = await World.OpenAsync();
        var node = await world.AddNodeAsync("one");
        node.OnRunning = _ => { };
        var job = await world.SubmitAsync("name: runs\nrun: work\n");
        await world.UntilAsync(job.Id, JobPhase.Running);
        node.Detach();
        await world.Stops.StopAsync(job.Id, "ada", null, CancellationToken.None);
        await world.KillAsync();
        await using var again = await World.OpenAsync(world.Folder, world.Options, time: world.Time);
        node.MoveTo(again);
        await node.AttachAsync();
        var view = await again.UntilAsync(job.Id, JobPhase.Stopped);
        Assert.Equal(EndReasons.Stopped, view.Reason);
    }

    [Fact]
    public async Task By_its_budget_before_the_money_is_spent()
    {
        await using var world = await World.OpenAsync();
        var node = await world.AddNodeAsync("one");         // $3.60 an hour: a tenth of a cent a second.
        node.OnRunning = _ => { };
        var job = await world.SubmitAsync("name: costly\nresources: {cpus: 8}\nrun: work\nstop_grace: 10s\nmoney:\n  budget: $0.10\n  expected_duration: 10s\n");
        await world.UntilAsync(job.Id, JobPhase.Running);
        world.Advance(TimeSpan.FromSeconds(89));
        await world.TurnAsync();
        Assert.Equal(JobPhase.Running, job.Phase);
        world.Advance(TimeSpan.FromSeconds(1));
        var view = await world.UntilAsync(job.Id, JobPhase.Stopped);
        Assert.Equal(EndReasons.Budget, view.Reason);
        Assert.Equal(Money.FromUsd(0.09m), view.Cost);
    }

    [Fact]
    public async Task By_its_longest_duration_and_by_its_deadline()
    {
        await using var world = await World.OpenAsync();
        var node = await world.AddNodeAsync("one");
        node.OnRunning = _ => { };
        var one = await world.SubmitAsync("name: long\nrun: work\nmoney:\n  max_duration: 60s\n");
        await world.UntilAsync(one.Id, JobPhase.Running);
        var two = await world.SubmitAsync(
            "name: late\nrun: work\nresources:\n  cpus: 8\nmoney:\n  deadline: 1h\n  expected_duration: 60s\n");
        world.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(EndReasons.MaxDuration, (await world.UntilAsync(one.Id, JobPhase.Stopped)).Reason);
        await world.UntilAsync(two.Id, JobPhase.Running);
        world.Advance(TimeSpan.FromHours(1));
        Assert.Equal(EndReasons.Deadline, (await world.UntilAsync(two.Id, JobPhase.Stopped)).Reason);
    }

    [Fact]
    public async Task When_the_projects_money_does_not_last_until_the_next_charge()
    {
        await using var world = await World.OpenAsync();
        var node = await world.AddNodeAsync("one");
        node.OnRunning = _ => { };
        await world.GrantAsync(world.Caller.Project, Money.FromUsd(0.30m));
        var job = await world.SubmitAsync("name: poor\nresources: {cpus: 8}\nrun: work\nmoney:\n  expected_duration: 240s\n");
        await world.UntilAsync(job.Id, JobPhase.Running);
        for (var minute = 0; minute < 4 && !job.HasEnded; minute++)
        {
            world.Advance(TimeSpan.FromSeconds(61));
            await world.TurnAsync();
            await world.TurnAsync();
        }
        var view = await world.UntilAsync(job.Id, JobPhase.Stopped);
        Assert.Equal(EndReasons.Funds, view.Reason);
        var left = (await world.RowsAsync<long>("SELECT available FROM test_balances"))[0];
        Assert.True(left >= 0);
        Assert.Equal(Money.FromUsd(0.30m).Micros, left + view.Cost.Micros);
    }

    [Fact]
    public async Task A_job_that_cannot_be_paid_for_is_refused_and_leaves_nothing()
    {
        await using var world = await World.OpenAsync();
        await world.AddNodeAsync("one");
        await world.GrantAsync(world.Caller.Project, Money.FromUsd(0.01m));
        var refused = Assert.IsType<IntakeResult.Refused>(await world.TrySubmitAsync("name: poor\nresources: {cpus: 8}\nrun: work\n"));
        Assert.Equal(ProblemCodes.InsufficientFunds, refused.Refusal.Problem.Code);
        Assert.Empty(await world.RowsAsync<JobId>("SELECT id FROM jobs"));
        Assert.Empty(await world.RowsAsync<JobId>("SELECT job_id FROM job_events"));
    }
}
