using System.Diagnostics;
using Cairn.Node.Tests.Harness;

namespace Cairn.Node.Tests;

[Trait("speed", "slow")]
public sealed class An_idle_daemon_costs_next_to_nothing
{
    /// <summary>At one heartbeat a second, ten times the usual rate, measured in CPU time so that a busy machine does not matter.</summary>
    [Fact]
    public async Task Its_processor_time_and_memory_are_small()
    {
        await using var fixture = await Fixture.StartAsync(daemon: false);
        var daemon = await fixture.StartProcessAsync();
        await Eventually.TrueAsync(() => fixture.Fleet.LastInventory?.Benchmark is not null && fixture.Fleet.Heartbeats > 3, "the start to be over");
        daemon.Refresh();
        var (before, watch, beats) = (daemon.TotalProcessorTime, Stopwatch.StartNew(), fixture.Fleet.Heartbeats);
        await Eventually.TrueAsync(() => fixture.Fleet.Heartbeats >= beats + 10, "ten heartbeats");
        daemon.Refresh();
        var share = (daemon.TotalProcessorTime - before) / watch.Elapsed;
        TestContext.Current.SendDiagnosticMessage($"idle daemon: {share:P2} of a core, {daemon.WorkingSet64 >> 20} MiB resident");
        Assert.True(share < 0.05, $"{share:P2} of a core");
        Assert.True(daemon.WorkingSet64 < 200L << 20, $"{daemon.WorkingSet64 >> 20} MiB");
    }
}
