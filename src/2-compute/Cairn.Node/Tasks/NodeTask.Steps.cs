using System.Diagnostics;
using Cairn.Contracts.Frameworks;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Node.Durable;
using Cairn.Node.Files;
using Cairn.Node.Processes;

namespace Cairn.Node.Tasks;

/// <summary>What a task does until it ends: prepare, start, wait for each step, pass the barrier.</summary>
internal sealed partial class NodeTask
{
    private const UnixFileMode Script = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead | UnixFileMode.UserWrite;
    private static readonly TimeSpan s_lookAgain = TimeSpan.FromSeconds(2);

    /// <summary>Prepares the files and starts the supervisor. Returns an end where that fails.</summary>
    private async Task<TaskEnd?> StartAsync(CancellationToken cancellationToken)
    {
        if (_record.Launched)
        {
            // The last daemon died while it started the supervisor: what may have come of it is ended, and starting is done over.
            await KillAllAsync(cancellationToken);
            _folder.ForgetSupervisor();
        }
        Debug.Assert(!_record.HasSecrets || _start.Secrets.Count > 0, "Load gives a task up whose secrets are gone");
        if (_start.Run.Length == 0)
            return new TaskEnd(EndReasons.StartFailed, "the command has no run script");
        Report(TaskPhase.Preparing);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token);
        try
        {
            await PrepareFilesAsync(either.Token);
            either.Token.ThrowIfCancellationRequested();
            Spawn();
            return null;
        }
        catch (OperationCanceledException) when (_record.Stop is { } stop && !cancellationToken.IsCancellationRequested)
        {
            return new TaskEnd(stop.Reason, stop.Message);
        }
        catch (BlobException e)
        {
            return new TaskEnd(EndReasons.WorkdirFailed, e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
        {
            return new TaskEnd(IsDiskFull(e) ? EndReasons.OutOfDisk : EndReasons.StartFailed, e.Message);
        }
    }

    private async Task PrepareFilesAsync(CancellationToken cancellationToken)
    {
        _folder.DeleteWork();
        foreach (var folder in (string[])[_folder.Work, _folder.Workdir, _folder.Home, _folder.Temp])
            Directory.CreateDirectory(folder, FolderMode);
        var checkout = new Checkout(_node.Cache);
        await PrepareCheckpointAsync(checkout, cancellationToken);
        if (_start.Workdir is { Files.Count: > 0 } workdir)
            await checkout.WriteAsync(Id, WithoutCheckpoint(workdir), _folder.Workdir, cancellationToken);
        await File.WriteAllTextAsync(_folder.SetupScript, _start.Setup, cancellationToken);
        await File.WriteAllTextAsync(_folder.RunScript, _start.Run, cancellationToken);
        WritePeers(_start.Peers);
        if (_user is { Id: { } user, Group: { } group })
        {
            FileTree.ChangeOwner(_folder.Work, user, group);
            if (CheckpointFolder is { } checkpoint)
                FileTree.ChangeOwner(checkpoint, user, group);
        }
    }

    /// <summary>Closed to other users, which are other tasks.</summary>
    private const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private void Spawn()
    {
        _cgroups.Make(_start.Cpus, _start.MemoryBytes);
        foreach (var raw in (string[])[_folder.RawOut, _folder.RawError])
            AtomicFile.Write(raw, []);
        _record.Launched = true;
        Save(durable: false);
        var process = Launch.Start(new LaunchOrder
        {
            ControlFolder = _folder.Control,
            WorkingFolder = _folder.Workdir,
            SetupScript = string.IsNullOrWhiteSpace(_start.Setup) ? null : _folder.SetupScript,
            RunScript = _folder.RunScript,
            Barrier = _start.Barrier,
            User = _user,
            Cgroups = _cgroups.Folders,
            Environment = Environment(_start.Peers, 0),
        });
        // .NET reaps the child; its end is a reason to look at what it left.
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) =>
        {
            _pulse.Set();
            process.Dispose();
        };
    }

    private SortedDictionary<string, string> Environment(IReadOnlyList<Peer> peers, int masterPort) =>
        TaskEnvironment.Build(_start, peers, PortOr(masterPort), new TaskPlace
        {
            NodeName = _node.NodeName,
            Workdir = _folder.Workdir,
            Home = _folder.Home,
            Temp = _folder.Temp,
            PeersFile = _folder.PeersFile,
            HostFile = _folder.HostFile,
            Framework = Framework(peers, masterPort),
            Checkpoint = CheckpointFolder,
            Devices = _node.Devices,
            Path = Programs.Path,
            Program = System.Environment.ProcessPath,
        });

    private FrameworkSetting? Framework(IReadOnlyList<Peer> peers, int masterPort) =>
        TaskEnvironment.Placement(_start, peers, PortOr(masterPort), _folder.HostFile) is { } placement
            ? _node.Frameworks?.Of(_start.Framework, placement)
            : null;

    /// <summary>Before the gang's begin, and for a task without peers, a port that needs no agreement.</summary>
    private int PortOr(int masterPort) => masterPort > 0 ? masterPort : TaskEnvironment.DefaultMasterPort(Id);

    /// <summary>
    /// Waits until a step has ended, and ends it where that was ordered: SIGTERM to its process group, the grace, then SIGKILL to
    /// everything.
    /// </summary>
    /// <returns>How it ended; null where its supervisor vanished without a word.</returns>
    private async Task<StepExit?> StepAsync(string step, CancellationToken cancellationToken)
    {
        var deadline = long.MaxValue;
        var (told, launchedAt) = (false, _node.Clock.GetTimestamp());
        while (true)
        {
            var alive = SupervisorIsAlive(launchedAt);
            if (_folder.StepExit(step) is { } exit)
                return exit;
            if (!alive)
                return null;
            if (_record.Stop is { } stop)
            {
                var now = _node.Clock.GetTimestamp();
                if (!told && _folder.StepProcess(step) is { } process)
                {
                    told = true;
                    deadline = now + stop.GraceSeconds * _node.Clock.TimestampFrequency;
                    if (_record.Phase != TaskPhase.Stopping)
                        Report(TaskPhase.Stopping);
                    ProcessTree.SignalGroup(process.Id, Native.Posix.SigTerm);
                }
                if (now >= deadline)
                {
                    deadline = long.MaxValue;
                    await KillStepAsync(cancellationToken);
                }
            }
            await _pulse.WaitAsync(Nearest(deadline), _node.Clock, cancellationToken);
        }
    }

    /// <summary>All ranks start together: says that this one is ready and waits for the word.</summary>
    /// <returns>An end where the wait was ended; null when run may go on.</returns>
    private async Task<TaskEnd?> PassBarrierAsync(CancellationToken cancellationToken)
    {
        if (_record.RunStarted != 0)
            return null;
        if (_record.Phase < TaskPhase.Ready)
            Report(TaskPhase.Ready);
        var arrived = _node.Clock.GetTimestamp();
        while (true)
        {
            if (_record.Stop is { } stop)
                return new TaskEnd(stop.Reason, stop.Message);
            if (_folder.StepProcess("run") is not null || _folder.StepExit("run") is not null)
                return null;
            if (_begin is { } begin)
            {
                WritePeers(begin.Peers);
                Launch.Begin(_folder.Control, Changed(begin));
                return null;
            }
            // The last daemon may have died between writing the variables and saying the word.
            if (File.Exists(Path.Combine(_folder.Control, "begin")))
                Launch.SayGo(_folder.Control);
            if (!SupervisorIsAlive(arrived))
                return EndOf("run", null);
            await _pulse.WaitAsync(s_lookAgain, _node.Clock, cancellationToken);
        }
    }

    /// <summary>The variables that only the begin of the gang tells.</summary>
    private Dictionary<string, string> Changed(BeginTask begin)
    {
        var before = Environment(_start.Peers, 0);
        return Environment(begin.Peers, begin.MasterPort).Where(pair => before.GetValueOrDefault(pair.Key) != pair.Value)
            .ToDictionary(pair => pair.Key, pair => pair.Value);
    }

    private void WritePeers(IReadOnlyList<Peer> peers)
    {
        const UnixFileMode readable = Script;
        AtomicFile.Write(_folder.PeersFile, TaskEnvironment.PeersText(peers), mode: readable);
        var hosts = Framework(peers, 0)?.HostFile ?? TaskEnvironment.HostText(_start, peers);
        AtomicFile.Write(_folder.HostFile, hosts, mode: readable);
    }

    /// <summary>A supervisor writes its name within moments of its start; until then it is taken to be alive.</summary>
    private bool SupervisorIsAlive(long since) =>
        _folder.Supervisor() is { } supervisor ? supervisor.IsAlive() : _node.Clock.GetElapsedTime(since) < TimeSpan.FromSeconds(10);

    private TimeSpan Nearest(long deadline)
    {
        if (deadline == long.MaxValue)
            return s_lookAgain;
        var left = TimeSpan.FromSeconds((deadline - _node.Clock.GetTimestamp()) / (double)_node.Clock.TimestampFrequency);
        return left <= TimeSpan.Zero ? TimeSpan.FromMilliseconds(1) : left < s_lookAgain ? left : s_lookAgain;
    }

    private static bool IsDiskFull(Exception e) => e is IOException { HResult: 28 };
}
