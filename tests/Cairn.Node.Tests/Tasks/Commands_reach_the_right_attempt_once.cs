using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Node.Processes;
using Cairn.Node.Tests.Harness;
using Cairn.Node.Tests.Link;

namespace Cairn.Node.Tests.Tasks;

public sealed class Commands_reach_the_right_attempt_once
{
    [Fact]
    public async Task A_command_that_comes_twice_runs_once_also_after_the_end()
    {
        await using var fixture = await Fixture.StartAsync();
        var start = fixture.NewTask("echo ran");
        var seen = fixture.Send(start);
        fixture.Send(start);
        await fixture.EndAsync(start);
        fixture.Send(start);
        var other = await fixture.RunAsync("echo after");
        Assert.Equal("after\n", other.Text());
        Assert.Equal("ran\n", seen.Text());
        Assert.False(Directory.Exists(fixture.ControlFolder(start)));
    }

    [Fact]
    public async Task An_older_epoch_is_refused_and_a_newer_one_takes_the_tasks_place()
    {
        await using var fixture = await Fixture.StartAsync(fleet: f => f.AcknowledgesReports = true);
        var start = fixture.NewTask("echo first; sleep 1000", s => s.Epoch = 5);
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Text() == "first\n", "the first epoch to run");
        var older = start.Clone();
        (older.Epoch, older.Run) = (4, "echo stale");
        fixture.Fleet.Refusals.Clear();
        fixture.Send(older);
        await Eventually.TrueAsync(() => fixture.Fleet.Refusals.Any(r => r.Epoch == 4 && r.EndReason == EndReasons.Superseded), "the refusal");
        fixture.Fleet.Send(new ServerMessage { Stop = new StopTask { TaskId = start.TaskId, Epoch = 4 } });
        var newer = start.Clone();
        (newer.Epoch, newer.Run) = (6, "echo second");
        fixture.Fleet.ForgetTask(start.TaskId);
        fixture.Send(newer);
        await fixture.EndAsync(newer);
        Assert.Equal("second\n", fixture.Fleet.Task(start.TaskId).Text());
    }

    [Fact]
    public async Task A_stale_acknowledgement_drops_the_task_with_its_processes()
    {
        await using var fixture = await Fixture.StartAsync();
        var start = fixture.NewTask("echo up; sleep 1000");
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Text() == "up\n", "the task to run");
        fixture.Fleet.Send(new ServerMessage { ReportAck = new ReportAck { TaskId = start.TaskId, Epoch = 1, Sequence = 1, Stale = true } });
        await Eventually.TrueAsync(() => !Directory.Exists(fixture.ControlFolder(start)), "the task to be gone");
        Assert.Empty(ProcessTree.Find(0, start.TaskId));
        Assert.Null(seen.End);
    }

    [Fact]
    public async Task A_held_task_that_the_server_does_not_want_is_forgotten_at_the_welcome()
    {
        await using var fixture = await Fixture.StartAsync();
        var start = fixture.NewTask("echo up; sleep 1000");
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Text() == "up\n", "the task to run");
        await fixture.StopServerAsync();
        fixture.Fleet.Forget.Add(start.TaskId);
        await fixture.StartServerAsync();
        await Eventually.TrueAsync(() => !Directory.Exists(fixture.ControlFolder(start)), "the task to be gone");
        Assert.Empty(ProcessTree.Find(0, start.TaskId));
    }

    [Fact]
    public async Task A_node_that_was_removed_stops_everything_and_says_why()
    {
        await using var fixture = await Fixture.StartAsync();
        var start = fixture.NewTask("echo up; sleep 1000");
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Text() == "up\n", "the task to run");
        fixture.Fleet.Send(new ServerMessage { Refused = new Refused { Code = "node_removed", Message = "removed by ada" } });
        var refused = await Assert.ThrowsAsync<NodeRefusedException>(() => fixture.Running);
        Assert.Equal("node_removed", refused.Code);
        Assert.Contains("removed by ada", refused.Message);
        Assert.Empty(ProcessTree.Find(0, start.TaskId));
    }

    [Fact]
    public async Task Reports_come_in_sequence_until_they_are_acknowledged()
    {
        await using var fixture = await Fixture.StartAsync(fleet: f => f.AcknowledgesReports = false);
        var start = fixture.NewTask("echo hi");
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.End is not null, "the end");
        Assert.True(Directory.Exists(fixture.ControlFolder(start)));
        await fixture.StopServerAsync();
        fixture.Fleet.ForgetTask(start.TaskId);
        fixture.Fleet.AcknowledgesReports = true;
        await fixture.StartServerAsync();
        await fixture.EndAsync(start);
        Assert.Equal([1, 2, 3, 4], fixture.Fleet.Task(start.TaskId).Reports.Select(r => r.Sequence));
    }

    [Fact]
    public async Task Ranks_begin_together_and_learn_of_a_replaced_peer()
    {
        await using var fixture = await Fixture.StartAsync();
        var start = fixture.NewTask(
            "trap 'cat $CAIRN_PEERS_FILE' USR1; echo $SKYPILOT_NODE_IPS; echo ready; while [ ! -e go ]; do sleep 0.02; done",
            s =>
            {
                (s.Barrier, s.NodeCount, s.Rank) = (true, 2, 1);
                s.Env["CAIRN_PEERS_SIGNAL"] = "USR1";
            });
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Has(TaskPhase.Ready), "the task to be ready");
        Assert.False(seen.Has(TaskPhase.Running));
        var begin = new BeginTask { TaskId = start.TaskId, Epoch = 1, MasterPort = 1234 };
        begin.Peers.Add(new Peer { Rank = 0, Address = "10.1.1.1", NodeName = "a" });
        begin.Peers.Add(new Peer { Rank = 1, Address = "10.1.1.2", NodeName = "b" });
        fixture.Fleet.Send(new ServerMessage { Begin = begin });
        await Eventually.TrueAsync(() => seen.Text().Contains("ready"), "run to begin");
        var changed = new PeersChanged { TaskId = start.TaskId, Epoch = 1 };
        changed.Peers.Add(new Peer { Rank = 0, Address = "10.1.1.9", NodeName = "c" });
        changed.Peers.Add(new Peer { Rank = 1, Address = "10.1.1.2", NodeName = "b" });
        fixture.Fleet.Send(new ServerMessage { PeersChanged = changed });
        await Eventually.TrueAsync(() => seen.Text().Contains("0 10.1.1.9 c"), "the task to read the new peers");
        The_node_goes_on_while_the_server_is_away.Release(fixture, start);
        await fixture.EndAsync(start);
        Assert.StartsWith("10.1.1.1 10.1.1.2\nready\n", seen.Text());
    }

    [Fact]
    public async Task A_task_is_stopped_while_it_waits_at_the_barrier_and_while_its_files_are_fetched()
    {
        await using var fixture = await Fixture.StartAsync();
        var waiting = fixture.NewTask("true", s => s.Barrier = true);
        var seen = fixture.Send(waiting);
        await Eventually.TrueAsync(() => seen.Has(TaskPhase.Ready), "the task to be ready");
        fixture.Fleet.Send(new ServerMessage { Stop = new StopTask { TaskId = waiting.TaskId, Epoch = 1, Reason = EndReasons.GangEnded } });
        Assert.Equal(EndReasons.GangEnded, (await fixture.EndAsync(waiting)).EndReason);
        Assert.Empty(ProcessTree.Find(0, waiting.TaskId));
    }

    [Fact]
    public async Task Secrets_reach_the_process_and_are_in_no_file_and_on_no_command_line()
    {
        const string secret = "s3cr3t-value-of-this-test";
        await using var fixture = await Fixture.StartAsync();
        var start = fixture.NewTask("test \"$API_KEY\" = 's3cr3t-value-of-this-'test && echo matches; while [ ! -e go ]; do sleep 0.02; done", s =>
        {
            s.Secrets["API_KEY"] = secret;
            s.Setup = "echo ${#API_KEY}";
        });
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Text().Contains("matches"), "the task to see its secret");
        foreach (var file in Directory.EnumerateFiles(fixture.Folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }))
        {
            if (Native.EntryFacts.Read(file) is { IsRegularFile: true } && Path.GetFileName(file) != "lock")
                Assert.False(FileHas(file), file);
        }
        Assert.DoesNotContain(Directory.EnumerateDirectories("/proc").Where(d => char.IsAsciiDigit(Path.GetFileName(d)[0])), CommandLineHas);
        The_node_goes_on_while_the_server_is_away.Release(fixture, start);
        await fixture.EndAsync(start);
    }

    /// <summary>The daemon replaces its own files by new ones meanwhile; one of those is gone before it can be read.</summary>
    private static bool FileHas(string file)
    {
        try
        {
            return File.ReadAllBytes(file).AsSpan().IndexOf("s3cr3t-value-of-this-test"u8) >= 0;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    private static bool CommandLineHas(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline")).Contains("s3cr3t-value-of-this-test");
        }
        catch (IOException)
        {
            return false;
        }
    }
}
