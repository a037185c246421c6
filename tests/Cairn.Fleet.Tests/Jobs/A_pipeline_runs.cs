using Cairn.Contracts.Jobs;
using Cairn.Fleet.Jobs;

namespace Cairn.Fleet.Tests.Jobs;

public sealed class A_pipeline_runs
{
    private const string Chain =
        """
        name: chain
        steps:
          - name: make
            run: make
            outputs:
              - name: data
                path: out
          - name: use
            needs: [make]
            run: use
            inputs:
              - name: data
                step: make
                path: in
        """;

    [Fact]
    public async Task A_step_begins_after_its_parents_and_finds_their_outputs()
    {
        await using var world = await World.OpenAsync();
        var node = await world.AddNodeAsync("one");
        node.OnRunning = task =>
        {
            if (task.Start.JobName.StartsWith("chain-make", StringComparison.Ordinal))
                task.Leave("data", checkpoint: false, ("a.txt", new string('a', 64), 3));
            task.End(EndReasons.Succeeded, 0);
        };
        var accepted = Assert.IsType<IntakeResult.Accepted>(await world.TrySubmitAsync(Chain));
        Assert.Equal(["chain-make", "chain-use"], accepted.Jobs.Select(j => j.Name));
        var make = await world.UntilAsync(accepted.Jobs[0].Id, JobPhase.Succeeded);
        var use = await world.UntilAsync(accepted.Jobs[1].Id, JobPhase.Succeeded);
        Assert.True(use.PlacedAt >= make.EndedAt);
        var start = node.Heard.Select(m => m.Start).Last(s => s is not null);
        Assert.Equal("in/a.txt", start.Workdir.Files.Single().Path);
        Assert.Equal("data", make.Outputs!.Single().Name);
    }

    [Fact]
    public async Task A_step_whose_parent_fails_is_stopped()
    {
        await using var world = await World.OpenAsync();
        var node = await world.AddNodeAsync("one");
        node.OnRunning = task => task.End(EndReasons.ExitCode, 1);
        var accepted = Assert.IsType<IntakeResult.Accepted>(await world.TrySubmitAsync(Chain));
        await world.UntilAsync(accepted.Jobs[0].Id, JobPhase.Failed);
        var use = await world.UntilAsync(accepted.Jobs[1].Id, JobPhase.Stopped);
        Assert.Contains("make", use.Message);
        Assert.Empty(use.Attempts!);
    }
}
