using System.Diagnostics;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Node.Processes;
using Cairn.Node.Tests.Harness;
using Cairn.Node.Tests.Link;

namespace Cairn.Node.Tests.Adoption;

[Trait("speed", "slow")]
public sealed class A_daemon_that_was_killed_takes_up_what_runs
{
    [Fact]
    public async Task The_same_process_goes_on_and_neither_its_log_nor_its_exit_code_is_lost()
    {
        await using var fixture = await Fixture.StartAsync(daemon: false);
        await fixture.StartProcessAsync();
        var start = fixture.NewTask("echo $$; i=0; while [ ! -e go ]; do i=$((i+1)); echo tick $i; sleep 0.02; done; seq 1 50000; echo $$; exit 6");
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Has(TaskPhase.Running) && seen.Text().Contains("tick 20"), "the task to tick");
        await fixture.KillProcessAsync();
        await Eventually.TrueAsync(() => ProcessTree.Find(0, start.TaskId).Count > 0, "the task to be there without a daemon");
        await fixture.StartProcessAsync();
        The_node_goes_on_while_the_server_is_away.Release(fixture, start);
        var end = await fixture.EndAsync(start);
        Assert.Equal((EndReasons.ExitCode, 6), (end.EndReason, end.ExitCode));
        var lines = seen.Text().TrimEnd('\n').Split('\n');
        Assert.Equal(lines[0], lines[^1]);
        var ticks = lines.Where(l => l.StartsWith("tick ")).Select(l => int.Parse(l[5..])).ToList();
        Assert.Equal(Enumerable.Range(1, ticks.Count), ticks);
        Assert.Equal(Enumerable.Range(1, 50_000).Select(i => i.ToString()), lines[(1 + ticks.Count)..^1]);
        Assert.Equal([1, 2, 3, 4], seen.Reports.Select(r => r.Sequence));
        var held = fixture.Fleet.Hellos.Last().Tasks.Single();
        Assert.Equal((start.TaskId, 1L, TaskPhase.Running), (held.TaskId, held.Epoch, held.Phase));
        Assert.True(fixture.Fleet.Hellos.Last().BootEpoch > fixture.Fleet.Hellos.First().BootEpoch);
    }

    [Fact]
    public async Task A_task_that_ended_while_daemon_and_server_were_both_dead_is_reported_whole()
    {
        await using var fixture = await Fixture.StartAsync(daemon: false);
        await fixture.StartProcessAsync();
        var start = fixture.NewTask("while [ ! -e go ]; do sleep 0.02; done; seq 1 100000; exit 9", s => s.Outputs.Add(new OutputSpec { Name = "o", Path = "x" }));
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Has(TaskPhase.Running), "the task to run");
        await fixture.KillProcessAsync();
        await fixture.StopServerAsync();
        The_node_goes_on_while_the_server_is_away.Release(fixture, start);
        await Eventually.TrueAsync(() => File.Exists(Path.Combine(fixture.ControlFolder(start), "run.exit")), "the task to end alone");
        await fixture.StartServerAsync();
        await fixture.StartProcessAsync();
        var end = await fixture.EndAsync(start);
        Assert.Equal((EndReasons.ExitCode, 9), (end.EndReason, end.ExitCode));
        Assert.Equal(string.Concat(Enumerable.Range(1, 100_000).Select(i => i + "\n")), seen.Text());
    }

    [Fact]
    public async Task A_task_that_waits_at_the_barrier_begins_under_the_next_daemon_with_its_secrets()
    {
        await using var fixture = await Fixture.StartAsync(daemon: false);
        await fixture.StartProcessAsync();
        var start = fixture.NewTask("echo $MASTER_ADDR:$MASTER_PORT $KEY; cat $CAIRN_PEERS_FILE", s =>
        {
            s.Barrier = true;
            s.NodeCount = 2;
            s.Setup = "echo prepared";
            s.Secrets["KEY"] = "opensesame";
        });
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Has(TaskPhase.Ready), "the task to be ready");
        await fixture.KillProcessAsync();
        await fixture.StartProcessAsync();
        Assert.Null(seen.End);
        var begin = new BeginTask { TaskId = start.TaskId, Epoch = 1, MasterPort = 4321 };
        begin.Peers.Add(new Peer { Rank = 1, Address = "10.0.0.2", NodeName = "b" });
        begin.Peers.Add(new Peer { Rank = 0, Address = "10.0.0.1", NodeName = "a" });
        fixture.Fleet.Send(new ServerMessage { Begin = begin });
        await fixture.EndAsync(start);
        Assert.Equal("prepared\n10.0.0.1:4321 opensesame\n0 10.0.0.1 a\n1 10.0.0.2 b\n", seen.Text());
    }

    [Fact]
    public async Task A_time_limit_counts_on_across_daemons()
    {
        await using var fixture = await Fixture.StartAsync(daemon: false);
        await fixture.StartProcessAsync();
        const int limit = 6;
        var start = fixture.NewTask("sleep 1000", s => s.MaxDurationSeconds = limit);
        var began = Stopwatch.GetTimestamp();
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Has(TaskPhase.Running), "the task to run");
        await fixture.KillProcessAsync();
        // All of its time goes by without a daemon: the next one stops it at once, where one that began to count anew would give it as much again.
        await Task.Delay(TimeSpan.FromSeconds(limit), TestContext.Current.CancellationToken);
        await fixture.StartProcessAsync();
        var back = Stopwatch.GetElapsedTime(began);
        var end = await fixture.EndAsync(start);
        Assert.Equal(EndReasons.MaxDuration, end.EndReason);
        Assert.InRange(TimeSpan.FromMicroseconds(end.ElapsedMicros), TimeSpan.FromSeconds(limit), back + TimeSpan.FromSeconds(limit));
    }

    [Fact]
    public async Task A_task_whose_supervisor_vanished_ends_as_unknown()
    {
        await using var fixture = await Fixture.StartAsync();
        var start = fixture.NewTask("echo up; sleep 1000");
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Text().Contains("up"), "the task to run");
        var supervisor = ProcessName.Parse(File.ReadAllText(Path.Combine(fixture.ControlFolder(start), "supervisor")))!.Value;
        Assert.Equal(0, Native.Posix.Kill(supervisor.Id, 9));
        var end = await fixture.EndAsync(start);
        Assert.Equal(EndReasons.Unknown, end.EndReason);
        Assert.Empty(ProcessTree.Find(0, start.TaskId));
    }

    [Fact]
    public async Task Stopping_the_daemon_gently_leaves_tasks_running()
    {
        await using var fixture = await Fixture.StartAsync();
        var start = fixture.NewTask("echo up; while [ ! -e go ]; do sleep 0.02; done; echo down");
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Text().Contains("up"), "the task to run");
        await fixture.StopDaemonAsync();
        Assert.NotEmpty(ProcessTree.Find(0, start.TaskId));
        await fixture.StartDaemonAsync();
        The_node_goes_on_while_the_server_is_away.Release(fixture, start);
        await fixture.EndAsync(start);
        Assert.Equal("up\ndown\n", seen.Text());
    }

    [Fact]
    public async Task Two_daemons_on_one_folder_are_refused()
    {
        await using var fixture = await Fixture.StartAsync();
        var second = new NodeDaemon(fixture.Options(), Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance);
        var refused = await Assert.ThrowsAsync<NodeRefusedException>(() => second.RunAsync(CancellationToken.None));
        Assert.Equal("locked", refused.Code);
        Assert.Contains(fixture.Data, refused.Message);
    }
}
