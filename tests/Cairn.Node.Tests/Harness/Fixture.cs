using System.Diagnostics;
using System.Text.Json;
using Cairn.Contracts.Wire;
using Cairn.State.Tests;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cairn.Node.Tests.Harness;

/// <summary>A fleet, its server and a node with a data folder, all torn down at the end with every process of every task.</summary>
internal sealed class Fixture : IAsyncDisposable
{
    private readonly List<string> _tasks = [];
    private TestServer? _server;
    private CancellationTokenSource? _stop;
    private Task? _running;
    private Process? _process;
    private readonly int _port = FreePorts.Next();

    private Fixture()
    {
    }

    public TestFleet Fleet { get; } = new();

    public string Folder { get; } = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "cairn-" + Guid.NewGuid().ToString("N")[..10])).FullName;

    public string Data => Path.Combine(Folder, "node");

    public string Token { get; private set; } = "";

    public NodeDaemon? Daemon { get; private set; }

    public Task Running => _running ?? Task.CompletedTask;

    public static async Task<Fixture> StartAsync(Func<NodeOptions, NodeOptions>? with = null, bool daemon = true, Action<TestFleet>? fleet = null)
    {
        var fixture = new Fixture();
        File.SetUnixFileMode(fixture.Folder, (UnixFileMode)0x1ed);
        fleet?.Invoke(fixture.Fleet);
        await fixture.StartServerAsync();
        fixture.Token = fixture._server!.Token(fixture.Fleet);
        if (daemon)
            await fixture.StartDaemonAsync(with);
        return fixture;
    }

    public async Task StartServerAsync()
    {
        _server = await TestServer.StartAsync(Fleet, _port);
    }

    public async Task StopServerAsync()
    {
        await _server!.DisposeAsync();
        _server = null;
    }

    public NodeOptions Options() => new()
    {
        DataFolder = Data,
        JoinToken = Token,
        DiskCheckSeconds = 1,
        Benchmark = false,
        DiskReserveBytes = 0,
        Declaration = new Declaration { Name = "node", Region = "here" },
    };

    public async Task StartDaemonAsync(Func<NodeOptions, NodeOptions>? with = null, bool waitForAttach = true)
    {
        var options = with is null ? Options() : with(Options());
        _stop = new CancellationTokenSource();
        Daemon = new NodeDaemon(options, NullLoggerFactory.Instance);
        _running = Task.Run(() => Daemon.RunAsync(_stop.Token));
        if (waitForAttach)
            await Eventually.TrueAsync(() => Fleet.IsAttached || _running.IsFaulted, "the node to attach");
        if (_running.IsFaulted)
            await _running;
    }

    public async Task StopDaemonAsync()
    {
        await _stop!.CancelAsync();
        await _running!.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Eventually.TrueAsync(() => !Fleet.IsAttached, "the node to detach");
    }

    /// <summary>Starts a daemon in a process of its own.</summary>
    public async Task<Process> StartProcessAsync(bool waitForAttach = true, string taskUser = "auto")
    {
        var settings = Path.Combine(Folder, "daemon.json");
        await File.WriteAllTextAsync(settings, JsonSerializer.Serialize(new DaemonSettings(Data, Token, null, taskUser, true)));
        var start = new ProcessStartInfo(Environment.ProcessPath!) { ArgumentList = { "daemon", settings }, RedirectStandardOutput = true, RedirectStandardError = true };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Fleet.Faults.Enqueue(("log", line.Data ?? ""));
        _process.BeginOutputReadLine();
        if (waitForAttach)
            await Eventually.TrueAsync(() => Fleet.IsAttached || _process.HasExited, "the daemon's process to attach");
        return _process;
    }

    public async Task KillProcessAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
        if (_server is not null)
            await Eventually.TrueAsync(() => !Fleet.IsAttached, "the server to see the daemon's end");
    }

    public StartTask NewTask(string run, Action<StartTask>? with = null)
    {
        var start = new StartTask
        {
            TaskId = Guid.CreateVersion7().ToString(),
            JobId = Guid.CreateVersion7().ToString(),
            JobName = "job",
            Project = "default",
            Epoch = 1,
            Attempt = 1,
            NodeCount = 1,
            Run = run,
            StopGraceSeconds = 5,
        };
        with?.Invoke(start);
        return start;
    }

    public SeenTask Send(StartTask start)
    {
        lock (_tasks)
            _tasks.Add(start.TaskId);
        Fleet.Send(new ServerMessage { Start = start });
        return Fleet.Task(start.TaskId);
    }

    /// <summary>Runs a task to its end and until the node has forgotten it.</summary>
    public async Task<SeenTask> RunAsync(string run, Action<StartTask>? with = null)
    {
        var start = NewTask(run, with);
        var seen = Send(start);
        await EndAsync(start);
        return seen;
    }

    public async Task<TaskReport> EndAsync(StartTask start, int seconds = 120)
    {
        var end = await Eventually.GetAsync(() => Fleet.Task(start.TaskId).End, $"the end of '{start.Run}'", seconds);
        await Eventually.TrueAsync(() => !Directory.Exists(ControlFolder(start)), "the task's folder to be deleted", seconds);
        return end;
    }

    public string ControlFolder(StartTask start) => Path.Combine(Data, "tasks", start.TaskId);

    /// <summary>A daemon that was killed leaves its cgroups behind.</summary>
    private void RemoveCgroups()
    {
        var tag = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(Data)))[..8];
        var groups = Processes.CgroupTree.Find("cairn-" + tag);
        _tasks.ForEach(task => groups.For(task).Remove());
        groups.Remove();
    }

    private bool TryDelete()
    {
        Durable.FileTree.Delete(Folder);
        return !Directory.Exists(Folder);
    }

    /// <summary>What the node has on disk of a task; null where the file is just being replaced.</summary>
    public Node.Tasks.TaskRecord? RecordOf(StartTask start)
    {
        var path = Path.Combine(ControlFolder(start), "record.json");
        return File.Exists(path) ? Node.Tasks.TaskRecord.Read(path) : null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_running is not null)
        {
            await _stop!.CancelAsync();
            await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        if (_process is { HasExited: false })
            await KillProcessAsync();
        foreach (var task in _tasks)
        {
            while (Processes.ProcessTree.Find(0, task) is { Count: > 0 } left)
            {
                left.ForEach(id => _ = Native.Posix.Kill(id, Native.Posix.SigKill));
                await Task.Delay(5);
            }
        }
        if (_server is not null)
            await _server.DisposeAsync();
        Fleet.Dispose();
        RemoveCgroups();
        await Eventually.TrueAsync(TryDelete, "the folder to be deleted");
    }
}
