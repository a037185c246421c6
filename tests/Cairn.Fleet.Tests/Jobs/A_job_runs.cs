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
}
