using Cairn.Contracts.Wire;
using Cairn.Node.Native;
using Cairn.Node.Processes;
using Cairn.Node.Tasks;

namespace Cairn.Node.Tests.Tasks;

public sealed class Small_things_on_disk_mean_one_thing : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("exit 3\n", 3, null)]
    [InlineData("signal 9\n", null, 9)]
    public void A_steps_end_is_read(string text, int? code, int? signal) => Assert.Equal(new StepExit(code, signal), StepExit.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("exit")]
    [InlineData("exit -1")]
    [InlineData("left 3")]
    public void What_is_no_end_is_none(string text) => Assert.Null(StepExit.Parse(text));

    [Fact]
    public void A_process_is_named_once_although_ids_come_again()
    {
        var own = ProcessStat.Read(Environment.ProcessId)!.Value;
        Assert.True(new ProcessName(own.Id, own.StartTicks).IsAlive());
        Assert.False(new ProcessName(own.Id, own.StartTicks + 1).IsAlive());
    }

    [Fact]
    public void Leases_survive_the_daemon_and_not_the_boot()
    {
        var file = Path.Combine(_folder, "leases");
        var stamps = new LeaseStamps(file, "boot-1");
        stamps.Renew(["a", "b"], 100);
        stamps.Renew(["a"], 200);
        stamps.Renew(["a"], 150);
        stamps.Forget("b");
        var next = new LeaseStamps(file, "boot-1");
        Assert.Equal((200L, (long?)null), (next.Of("a"), next.Of("b")));
        Assert.Null(new LeaseStamps(file, "boot-2").Of("a"));
    }

    [Fact]
    public void Finished_tasks_are_remembered_by_epoch()
    {
        var file = Path.Combine(_folder, "done");
        new FinishedTasks(file).Add("t", 3);
        var next = new FinishedTasks(file);
        Assert.True(next.Covers("t", 3));
        Assert.True(next.Covers("t", 2));
        Assert.False(next.Covers("t", 4));
        Assert.False(next.Covers("u", 1));
    }

    [Fact]
    public void A_record_is_read_as_it_was_written_and_names_no_secret()
    {
        var record = new TaskRecord { TaskId = "t", Epoch = 2, BootId = "b", HasSecrets = true, Stop = new StopOrder("stopped", "why", 3) };
        record.Add(new TaskReport { TaskId = "t", Sequence = 1, Phase = TaskPhase.Ready });
        var file = Path.Combine(_folder, "record.json");
        record.Write(file, durable: true);
        var read = TaskRecord.Read(file);
        Assert.Equal(record.Stop, read.Stop);
        Assert.Equal(TaskPhase.Ready, read.Reports().Single().Phase);
        Assert.Equal((UnixFileMode)0x180, File.GetUnixFileMode(file));
    }

    [Fact]
    public void Tasks_get_different_users_until_those_run_out_and_then_share_them()
    {
        var (users, _) = TaskUsers.From("auto", canChangeUser: true);
        var taken = Enumerable.Range(0, 606).Select(_ => users!.Take().Id).ToList();
        Assert.Equal(606, taken.Distinct().Count());
        Assert.NotNull(users!.Take().Id);
        Assert.Equal(TaskUser.Self, TaskUsers.From("auto", canChangeUser: false).Users!.Take());
        Assert.NotNull(TaskUsers.From("no such user", canChangeUser: true).Problem);
        Assert.NotNull(TaskUsers.From("nobody", canChangeUser: false).Problem);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("it's $HOME `id` \\ \"x\"\nnext")]
    public void A_quoted_word_is_that_word_to_the_shell(string text)
    {
        var start = new System.Diagnostics.ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", "printf %s " + Launch.Quote(text) }, RedirectStandardOutput = true };
        using var shell = System.Diagnostics.Process.Start(start)!;
        Assert.Equal(text, shell.StandardOutput.ReadToEnd());
    }

    [Fact]
    public void The_boot_clock_goes_on_and_means_the_same_for_all_processes()
    {
        var uptime = double.Parse(File.ReadAllText("/proc/uptime").Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(BootClock.Instance.GetTimestamp() / 1e9, uptime - 1, uptime + 5);
    }
}
