using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Node.Tests.Harness;

namespace Cairn.Node.Tests.Link;

public sealed class The_node_goes_on_while_the_server_is_away
{
    [Fact]
    public async Task A_task_that_lives_wholly_in_the_outage_is_reported_whole_afterwards()
    {
        await using var fixture = await Fixture.StartAsync();
        var start = fixture.NewTask("while [ ! -e go ]; do sleep 0.02; done; seq 1 300000; seq 1 1000 >&2; exit 4");
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Has(TaskPhase.Running), "the task to run");
        await fixture.StopServerAsync();
        Release(fixture, start);
        await Eventually.TrueAsync(() => File.Exists(Path.Combine(fixture.ControlFolder(start), "run.exit")), "the task to end without a server");
        Assert.Null(seen.End);
        await fixture.StartServerAsync();
        var end = await fixture.EndAsync(start);
        Assert.Equal((EndReasons.ExitCode, 4), (end.EndReason, end.ExitCode));
        Assert.Equal(string.Concat(Enumerable.Range(1, 300_000).Select(i => i + "\n")), seen.Text());
        Assert.Equal(string.Concat(Enumerable.Range(1, 1000).Select(i => i + "\n")), seen.Text(LogStream.Error));
        Assert.Contains(fixture.Fleet.Hellos.Last().Tasks, held => held.TaskId == start.TaskId && held.Epoch == 1);
    }

    [Fact]
    public async Task A_server_that_restarts_again_and_again_in_mid_stream_misses_nothing()
    {
        await using var fixture = await Fixture.StartAsync();
        var start = fixture.NewTask("for i in $(seq 1 150); do seq 1 2000; sleep 0.02; done");
        var seen = fixture.Send(start);
        for (var restart = 0; restart < 3; restart++)
        {
            var length = seen.LogLength;
            await Eventually.TrueAsync(() => seen.LogLength > length || seen.End is not null, "the log to grow");
            await fixture.StopServerAsync();
            await fixture.StartServerAsync();
            await Eventually.TrueAsync(() => fixture.Fleet.IsAttached, "the node to come back");
        }
        await fixture.EndAsync(start);
        Assert.Equal(string.Concat(Enumerable.Repeat(string.Concat(Enumerable.Range(1, 2000).Select(i => i + "\n")), 150)), seen.Text());
    }

    [Fact]
    public async Task A_log_beyond_its_bound_says_what_is_missing_and_keeps_the_newest()
    {
        await using var fixture = await Fixture.StartAsync(o => new NodeOptions
        {
            DataFolder = o.DataFolder, JoinToken = o.JoinToken, Benchmark = false, LogBytesPerTask = 256 * 1024,
        });
        var start = fixture.NewTask("echo first; while [ ! -e go ]; do sleep 0.02; done; seq 1 500000; echo last");
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Text() == "first\n", "the first line");
        await fixture.StopServerAsync();
        Release(fixture, start);
        var log = Path.Combine(fixture.ControlFolder(start), "log");
        await Eventually.TrueAsync(() => fixture.RecordOf(start)?.End is not null, "the node to have read all output");
        await fixture.StartServerAsync();
        var end = await fixture.EndAsync(start);
        Assert.StartsWith("first\n", seen.Text());
        Assert.EndsWith("499999\n500000\nlast\n", seen.Text());
        Assert.True(end.LogBytes < 400 * 1024, $"{end.LogBytes}");
        var mark = seen.Records().Single(r => r.Stream == LogStream.System);
        Assert.True(Node.Logs.LogMarks.TryReadDropped(mark.Text.Span, out var dropped));
        var all = "first\nlast\n".Length + Enumerable.Range(1, 500_000).Sum(i => i.ToString().Length + 1);
        Assert.Equal(all, dropped.Out + seen.Bytes().Length);
        Assert.False(Directory.Exists(log));
    }

    [Fact]
    public async Task A_lease_that_runs_out_in_the_outage_stops_the_task_then()
    {
        await using var fixture = await Fixture.StartAsync();
        var bound = fixture.NewTask("sleep 1000", s => s.LeaseSeconds = 6);
        var free = fixture.NewTask("sleep 1000");
        var seen = fixture.Send(bound);
        var other = fixture.Send(free);
        await Eventually.TrueAsync(() => seen.Has(TaskPhase.Running) && other.Has(TaskPhase.Running), "both to run");
        await fixture.StopServerAsync();
        await Eventually.TrueAsync(() => File.Exists(Path.Combine(fixture.ControlFolder(bound), "run.exit")), "the bound task to be stopped");
        await fixture.StartServerAsync();
        Assert.Equal(EndReasons.LeaseExpired, (await fixture.EndAsync(bound)).EndReason);
        Assert.Null(other.End);
    }

    internal static void Release(Fixture fixture, StartTask start)
    {
        var work = Directory.GetDirectories(fixture.Folder, start.TaskId, SearchOption.AllDirectories).Single(d => Directory.Exists(d + "/workdir"));
        File.WriteAllText(Path.Combine(work, "workdir", "go"), "");
    }
}
