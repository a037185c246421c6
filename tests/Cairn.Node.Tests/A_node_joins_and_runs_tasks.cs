using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Node.Tests.Harness;

namespace Cairn.Node.Tests;

public sealed class A_node_joins_and_runs_tasks
{
    [Fact]
    public async Task It_joins_attaches_runs_echo_and_delivers_the_log()
    {
        await using var fixture = await Fixture.StartAsync();
        var seen = await fixture.RunAsync("echo hello; echo oops >&2");

        Assert.Equal("hello\n", seen.Text());
        Assert.Equal("oops\n", seen.Text(LogStream.Error));
        Assert.Equal(EndReasons.Succeeded, seen.End!.EndReason);
        Assert.Equal(0, seen.End.ExitCode);
        Assert.Equal(seen.LogLength, seen.End.LogBytes);
        Assert.Equal([TaskPhase.Assigned, TaskPhase.Preparing, TaskPhase.Running, TaskPhase.Ended], seen.Reports.Select(r => r.Phase));
    }
}
