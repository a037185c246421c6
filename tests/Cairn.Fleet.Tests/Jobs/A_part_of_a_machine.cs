using Cairn.Contracts.Jobs;
using Cairn.Contracts.Units;

namespace Cairn.Fleet.Tests.Jobs;

public sealed class A_part_of_a_machine
{
    [Fact]
    public async Task Costs_its_share_and_is_sold_once()
    {
        await using var world = await World.OpenAsync();
        var node = await world.AddNodeAsync("one");         // 8 CPUs at $3.60 an hour.
        node.OnRunning = _ => { };
        var half = await world.SubmitAsync("name: half\nresources: {cpus: 4}\nrun: work\n");
        var quarter = await world.SubmitAsync("name: quarter\nresources: {cpus: 2}\nrun: work\n");
        await world.UntilAsync(half.Id, JobPhase.Running);
        await world.UntilAsync(quarter.Id, JobPhase.Running);
        var third = await world.SubmitAsync("name: third\nresources: {cpus: 3}\nrun: work\n");
        await world.TurnAsync();

        Assert.Equal(HourlyPrice.FromUsd(1.8m), half.Hourly);
        Assert.Equal(HourlyPrice.FromUsd(0.9m), quarter.Hourly);
        Assert.Equal(JobPhase.Queued, third.Phase);
    }
}
