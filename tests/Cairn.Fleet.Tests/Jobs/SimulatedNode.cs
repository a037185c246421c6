using System.Collections.Concurrent;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Link;
using Cairn.Fleet.Nodes;
using Grpc.Core;

namespace Cairn.Fleet.Tests.Jobs;

/// <summary>
/// A simulated daemon in memory: keeps tasks and the reports that were not acknowledged, over reconnects and restarts of the server. What a
/// task does is the test's to say; by default it runs and succeeds at once.
/// </summary>
internal sealed class SimulatedNode(World world, NodeId id, string name, NodeFacts facts) : IAsyncStreamWriter<ServerMessage>
{
    private World _world = world;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, SimulatedTask> _tasks = [];
    private NodeStream? _stream;
    private NodeSession? _session;
    private CancellationTokenSource _pump = new();
    private long _boot;

    public NodeId Id => id;

    public World World => _world;

    public FleetNode Node => _world.Nodes.Find(id)!;

    /// <summary>What a task does once it may run; by default it ends well at once.</summary>
    public Action<SimulatedTask> OnRunning { get; set; } = task => task.End(EndReasons.Succeeded, 0);

    public Action<SimulatedTask> OnStart { get; set; } = task => task.Prepare();

    public Action<SimulatedTask, StopTask> OnStop { get; set; } = (task, stop) => task.End(stop.Reason, null, 15);

    public ConcurrentQueue<ServerMessage> Heard { get; } = new();

    public IReadOnlyList<SimulatedTask> Tasks { get { lock (_gate) return [.. _tasks.Values]; } }

    public WriteOptions? WriteOptions { get; set; }

    public async Task AttachAsync()
    {
        _stream = new NodeStream(65_536);
        _session = _world.Links.Open(Node, _stream, ++_boot) ?? throw new InvalidOperationException("The session was refused.");
        List<HeldTask> held;
        lock (_gate)
            held = [.. _tasks.Values.Select(t => t.Held())];
        var replay = await _world.Work.ReplayAsync(id, held, CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(2));
        lock (_gate)
        {
            foreach (var forgotten in replay.ForgetTasks)
                _tasks.Remove(forgotten);
        }
        _pump = new CancellationTokenSource();
        _ = PumpAsync(_stream, _pump.Token);
        await _session.SendWelcomeAsync(new Welcome(), replay.Commands, CancellationToken.None);
        foreach (var task in Tasks)
            task.SendUnacknowledged();
    }

    /// <summary>The server was started again: the node is enrolled there, and attaches when it likes.</summary>
    public void MoveTo(World world)
    {
        _pump.Cancel();
        _session = null;
        _world = world;
        Enrol();
    }

    public void Enrol() => _world.Nodes.Add(new FleetNode(id, name, new byte[32], facts, _world.Time.GetUtcNow()), joined: true);

    public void Detach()
    {
        _pump.Cancel();
        if (_session is not null)
            _world.Links.Ended(_session);
        _session = null;
    }

    /// <summary>The server judges it lost.</summary>
    public void BecomeLost()
    {
        Detach();
        _world.Nodes.SetHealth(Node, NodeHealth.Lost, Node.HeardAt);
    }

    /// <summary>The machine is set up anew: it remembers nothing.</summary>
    public void ForgetEverything()
    {
        lock (_gate)
            _tasks.Clear();
    }

    public void Send(TaskReport report)
    {
        if (_session is { } session)
            _ = _world.Work.AcceptReportAsync(id, report, session, CancellationToken.None).AsTask();
    }

    public void Send(TaskOutput output)
    {
        if (_session is { } session)
            _ = _world.Work.AcceptOutputAsync(id, output, session, CancellationToken.None).AsTask();
    }

    public Task WriteAsync(ServerMessage message, CancellationToken cancellationToken) => WriteAsync(message);

    public Task WriteAsync(ServerMessage message)
    {
        if (_world.RemembersMessages)
            Heard.Enqueue(message);
        switch (message.BodyCase)
        {
            case ServerMessage.BodyOneofCase.Start:
                Start(message.Start);
                break;
            case ServerMessage.BodyOneofCase.Begin:
                Find(message.Begin.TaskId)?.Begin();
                break;
            case ServerMessage.BodyOneofCase.Stop:
                if (Find(message.Stop.TaskId) is { HasEnded: false } task)
                    OnStop(task, message.Stop);
                break;
            case ServerMessage.BodyOneofCase.ReportAck:
                Find(message.ReportAck.TaskId)?.Acknowledge(message.ReportAck);
                break;
        }
        return Task.CompletedTask;
    }

    public void Drop(SimulatedTask task)
    {
        lock (_gate)
            _tasks.Remove(task.Id);
    }

    private void Start(StartTask start)
    {
        SimulatedTask task;
        lock (_gate)
        {
            if (_tasks.ContainsKey(start.TaskId))
                return;
            _tasks[start.TaskId] = task = new SimulatedTask(this, start);
        }
        OnStart(task);
    }

    private SimulatedTask? Find(string task)
    {
        lock (_gate)
            return _tasks.GetValueOrDefault(task);
    }

    private async Task PumpAsync(NodeStream stream, CancellationToken cancellationToken)
    {
        try
        {
            await stream.PumpAsync(this, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Detached.
        }
        catch (Exception error)
        {
            _world.Fail(error);
        }
    }
}

/// <summary>One task on a simulated node.</summary>
internal sealed class SimulatedTask(SimulatedNode node, StartTask start)
{
    private readonly Lock _gate = new();
    private readonly List<TaskReport> _unacknowledged = [];
    private long _sequence;
    private long _runningSince;

    public string Id => start.TaskId;

    public StartTask Start => start;

    public SimulatedNode Node => node;

    public TaskPhase Phase { get; private set; } = TaskPhase.Assigned;

    public bool HasEnded => Phase == TaskPhase.Ended;

    public void Prepare()
    {
        Report(TaskPhase.Preparing);
        if (start.Barrier)
            Report(TaskPhase.Ready);
        else
            Run();
    }

    public void Begin()
    {
        if (Phase == TaskPhase.Ready)
            Run();
    }

    public void Run()
    {
        _runningSince = node.World.NowMicros;
        Report(TaskPhase.Running);
        node.OnRunning(this);
    }

    public void End(string reason, int? exitCode, int? signal = null, long? elapsedMicros = null)
    {
        lock (_gate)
        {
            if (HasEnded)
                return;
            var report = Make(TaskPhase.Ended);
            report.ElapsedMicros = elapsedMicros ?? (_runningSince == 0 ? 0 : node.World.NowMicros - _runningSince);
            report.EndReason = reason;
            if (exitCode is { } code)
                report.ExitCode = code;
            if (signal is { } number)
                report.Signal = number;
            Keep(report);
        }
    }

    public void Report(TaskPhase phase)
    {
        lock (_gate)
            Keep(Make(phase));
    }

    /// <summary>Sends an output or a checkpoint; its blobs are taken to be put before.</summary>
    public void Leave(string name, bool checkpoint, params (string Path, string Hash, long Size)[] files)
    {
        var manifest = new FileManifest();
        manifest.Files.AddRange(files.Select(f => new FileEntry { Path = f.Path, Hash = f.Hash, SizeBytes = f.Size, Mode = 420 }));
        node.Send(new TaskOutput { TaskId = Id, Epoch = start.Epoch, Name = name, Checkpoint = checkpoint, Manifest = manifest });
    }

    public HeldTask Held()
    {
        lock (_gate)
            return new HeldTask { TaskId = Id, Epoch = start.Epoch, Phase = Phase };
    }

    public void Acknowledge(ReportAck ack)
    {
        lock (_gate)
            _unacknowledged.RemoveAll(r => r.Sequence <= ack.Sequence);
        if (ack.Stale || (HasEnded && _unacknowledged.Count == 0))
            node.Drop(this);
    }

    public void SendUnacknowledged()
    {
        lock (_gate)
        {
            foreach (var report in _unacknowledged)
                node.Send(report);
        }
    }

    private TaskReport Make(TaskPhase phase)
    {
        Phase = phase;
        return new TaskReport { TaskId = Id, Epoch = start.Epoch, Sequence = ++_sequence, Phase = phase };
    }

    private void Keep(TaskReport report)
    {
        _unacknowledged.Add(report);
        node.Send(report);
    }
}
