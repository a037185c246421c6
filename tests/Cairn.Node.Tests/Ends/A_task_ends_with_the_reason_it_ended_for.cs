using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Node.Processes;
using Cairn.Node.Tests.Harness;

namespace Cairn.Node.Tests.Ends;

public sealed class A_task_ends_with_the_reason_it_ended_for
{
    [Theory]
    [InlineData("exit 3", 3, EndReasons.ExitCode)]
    [InlineData("exit 0", 0, EndReasons.Succeeded)]
    [InlineData("exit 255", 255, EndReasons.ExitCode)]
    [InlineData("nosuchprogram", 127, EndReasons.ExitCode)]
    public async Task Exit_codes_are_the_programs_own(string run, int code, string reason)
    {
        await using var fixture = await Fixture.StartAsync();
        var seen = await fixture.RunAsync(run);
        Assert.Equal((reason, code, false), (seen.End!.EndReason, seen.End.ExitCode, seen.End.HasSignal));
    }

    [Theory]
    [InlineData(9)]
    [InlineData(15)]
    [InlineData(11)]
    [InlineData(13)]
    public async Task A_signal_is_told_apart_from_the_exit_code_that_looks_like_it(int signal)
    {
        await using var fixture = await Fixture.StartAsync();
        var killed = fixture.NewTask($"kill -{signal} $$");
        var exited = fixture.NewTask($"exit {128 + signal}");
        fixture.Send(killed);
        fixture.Send(exited);
        var first = await fixture.EndAsync(killed);
        var second = await fixture.EndAsync(exited);
        Assert.Equal((EndReasons.Signal, signal, false), (first.EndReason, first.Signal, first.HasExitCode));
        Assert.Equal((EndReasons.ExitCode, 128 + signal, false), (second.EndReason, second.ExitCode, second.HasSignal));
    }

    [Fact]
    public async Task A_failed_setup_ends_the_task_before_run()
    {
        await using var fixture = await Fixture.StartAsync();
        var seen = await fixture.RunAsync("echo ran", start => start.Setup = "echo preparing; exit 7");
        Assert.Equal((EndReasons.SetupFailed, 7), (seen.End!.EndReason, seen.End.ExitCode));
        Assert.Equal("preparing\n", seen.Text());
        Assert.False(seen.Has(TaskPhase.Running));
    }

    [Fact]
    public async Task Stopping_gives_the_task_its_grace_to_end_by_itself()
    {
        await using var fixture = await Fixture.StartAsync();
        var start = fixture.NewTask("trap 'echo saved; exit 5' TERM; echo up; while true; do sleep 0.05; done");
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Text().Contains("up"), "the task to be up");
        fixture.Fleet.Send(new ServerMessage { Stop = new StopTask { TaskId = start.TaskId, Epoch = 1, GraceSeconds = 20, Reason = EndReasons.Budget } });
        var end = await fixture.EndAsync(start);
        Assert.Equal((EndReasons.Budget, 5), (end.EndReason, end.ExitCode));
        Assert.Contains("saved", seen.Text());
        Assert.True(seen.Has(TaskPhase.Stopping));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_the_grace_everything_is_killed_also_what_left_the_process_group(bool cgroups)
    {
        await using var fixture = await Fixture.StartAsync(o => Configure(o, cgroups));
        var start = fixture.NewTask("trap '' TERM; setsid sleep 1000 & (sleep 1000 & sleep 1000) & echo $! up; while true; do sleep 0.1; done");
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Text().Contains("up"), "the task to be up");
        await Eventually.TrueAsync(() => Others(start).Count >= 4, "all its processes to run");
        fixture.Fleet.Send(new ServerMessage { Stop = new StopTask { TaskId = start.TaskId, Epoch = 1, GraceSeconds = 1 } });
        var end = await fixture.EndAsync(start);
        Assert.Equal((EndReasons.Stopped, 9), (end.EndReason, end.Signal));
        Assert.Empty(ProcessTree.Find(0, start.TaskId));
    }

    [Fact]
    public async Task What_a_task_leaves_in_the_background_does_not_outlive_it()
    {
        await using var fixture = await Fixture.StartAsync();
        var start = fixture.NewTask("setsid sleep 1000 & sleep 1000 & echo done");
        fixture.Send(start);
        var end = await fixture.EndAsync(start);
        Assert.Equal(EndReasons.Succeeded, end.EndReason);
        Assert.Empty(ProcessTree.Find(0, start.TaskId));
    }

    [Fact]
    public async Task A_task_that_runs_longer_than_it_may_is_stopped()
    {
        await using var fixture = await Fixture.StartAsync();
        var seen = await fixture.RunAsync("sleep 1000", start => start.MaxDurationSeconds = 1);
        Assert.Equal((EndReasons.MaxDuration, 15), (seen.End!.EndReason, seen.End.Signal));
        Assert.InRange(seen.End.ElapsedMicros, 1_000_000, 100_000_000);
    }

    [Fact]
    public async Task A_lease_that_is_not_renewed_stops_the_task_and_one_that_is_renewed_does_not()
    {
        await using var fixture = await Fixture.StartAsync();
        var start = fixture.NewTask("sleep 1000", s => s.LeaseSeconds = 6);
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => fixture.Fleet.Heartbeats >= 8, "more heartbeats than the lease is long");
        Assert.Null(seen.End);
        fixture.Fleet.RenewsLeases = false;
        var end = await fixture.EndAsync(start);
        Assert.Equal(EndReasons.LeaseExpired, end.EndReason);
    }

    [Fact]
    public async Task A_task_beyond_its_disk_is_stopped_as_out_of_disk()
    {
        await using var fixture = await Fixture.StartAsync();
        var seen = await fixture.RunAsync("head -c 8000000 /dev/zero > big; sleep 1000", start => start.DiskBytes = 4_000_000);
        Assert.Equal(EndReasons.OutOfDisk, seen.End!.EndReason);
        Assert.Contains("4000000", seen.End.Message);
    }

    [Fact]
    public async Task When_the_nodes_disk_runs_low_the_largest_task_goes_and_the_others_stay()
    {
        await using var fixture = await Fixture.StartAsync(o => new NodeOptions
        {
            DataFolder = o.DataFolder, JoinToken = o.JoinToken, Benchmark = false, DiskCheckSeconds = 1, DiskReserveBytes = long.MaxValue,
        });
        var small = fixture.NewTask("sleep 1000");
        var large = fixture.NewTask("head -c 8000000 /dev/zero > big; echo up; sleep 1000");
        fixture.Send(large);
        fixture.Send(small);
        var end = await fixture.EndAsync(large);
        Assert.Equal(EndReasons.OutOfDisk, end.EndReason);
    }

    [Fact]
    public async Task A_task_beyond_its_memory_ends_as_out_of_memory()
    {
        await using var fixture = await Fixture.StartAsync();
        var standing = await fixture.Daemon!.Joined;
        Assert.SkipUnless(standing.TaskLimits.Contains("memory"), "memory cgroups are not writable here");
        var seen = await fixture.RunAsync("head -c 200000000 /dev/zero | tail", start => start.MemoryBytes = 32 << 20);
        Assert.Equal(EndReasons.OutOfMemory, seen.End!.EndReason);
    }

    [Fact]
    public async Task Every_task_has_a_user_of_its_own_where_the_daemon_is_root()
    {
        await using var fixture = await Fixture.StartAsync();
        Assert.SkipUnless(TaskUsers.CanChangeUser(), "the tests are not root");
        var first = fixture.NewTask("id -u; touch mine; while [ ! -e go ]; do sleep 0.05; done", s => s.Barrier = false);
        var seen = fixture.Send(first);
        await Eventually.TrueAsync(() => seen.Text().EndsWith('\n'), "the first task's user");
        var second = await fixture.RunAsync("id -u; cat /proc/1/environ || echo closed; echo $HOME; touch ~/home && echo ok");
        Assert.NotEqual("0", seen.Text().Trim());
        Assert.NotEqual(seen.Text().Trim(), second.Text().Split('\n')[0]);
        Assert.Contains("closed", second.Text());
        Assert.EndsWith("ok\n", second.Text());
    }

    private static NodeOptions Configure(NodeOptions o, bool cgroups) =>
        new() { DataFolder = o.DataFolder, JoinToken = o.JoinToken, Benchmark = false, DiskReserveBytes = 0, UseCgroups = cgroups };

    private static List<int> Others(StartTask start) => ProcessTree.Find(0, start.TaskId);
}
