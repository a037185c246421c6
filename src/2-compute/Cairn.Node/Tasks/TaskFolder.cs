using Cairn.Contracts.Wire;
using Cairn.Node.Durable;
using Cairn.Node.Processes;
using Google.Protobuf;

namespace Cairn.Node.Tasks;

/// <summary>
/// The files of one task. The control folder belongs to the daemon's user alone; the work folder to the task's user. Nothing in the
/// control folder tells a secret, and nothing the task can write is believed.
/// </summary>
internal sealed class TaskFolder(string controlRoot, string workRoot, string taskId)
{
    public string Control { get; } = Path.Combine(controlRoot, taskId);

    public string Work { get; } = Path.Combine(workRoot, "tasks", taskId);

    public string WorkRoot => workRoot;

    public string Workdir => Path.Combine(Work, "workdir");

    public string Home => Path.Combine(Work, "home");

    public string Temp => Path.Combine(Work, "tmp");

    public string SetupScript => Path.Combine(Work, "setup.sh");

    public string RunScript => Path.Combine(Work, "run.sh");

    public string PeersFile => Path.Combine(Work, "peers");

    public string HostFile => Path.Combine(Work, "hostfile");

    public string Log => Path.Combine(Control, "log");

    public string RawOut => Path.Combine(Control, "stdout.raw");

    public string RawError => Path.Combine(Control, "stderr.raw");

    public string Record => Path.Combine(Control, "record.json");

    private string Spec => Path.Combine(Control, "task.pb");

    /// <summary>Where one job keeps its checkpoints across attempts on this node.</summary>
    public string CheckpointOf(string jobId) => Path.Combine(workRoot, "checkpoints", jobId);

    /// <summary>
    /// Makes the control folder and writes the command without its secrets; the record comes last, since it makes the task exist.
    /// </summary>
    public void Create(StartTask start, TaskRecord record)
    {
        Directory.CreateDirectory(Control, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var spec = start.Clone();
        spec.Secrets.Clear();
        AtomicFile.Write(Spec, spec.ToByteArray());
        record.Write(Record, durable: false);
    }

    public StartTask ReadSpec() => StartTask.Parser.ParseFrom(File.ReadAllBytes(Spec));

    public ProcessName? Supervisor() => ReadText("supervisor") is { } text ? ProcessName.Parse(text) : null;

    public ProcessName? StepProcess(string step) => ReadText(step + ".pid") is { } text ? ProcessName.Parse(text) : null;

    /// <summary>All output of the task is in the raw files.</summary>
    public bool IsDrained => File.Exists(Path.Combine(Control, "drained"));

    public StepExit? StepExit(string step) => ReadText(step + ".exit") is { } text ? Processes.StepExit.Parse(text) : null;

    /// <summary>When the supervisor wrote down that a step had ended, by the wall clock.</summary>
    public DateTime? StepEndedAt(string step)
    {
        var file = Path.Combine(Control, step + ".exit");
        return File.Exists(file) ? File.GetLastWriteTimeUtc(file) : null;
    }

    /// <summary>Files that the supervisor left of a try that is made again.</summary>
    public void ForgetSupervisor()
    {
        foreach (var name in (string[])["supervisor", "setup.pid", "setup.exit", "run.pid", "run.exit", "begin", "drained"])
            File.Delete(Path.Combine(Control, name));
    }

    public void DeleteWork() => FileTree.Delete(Work);

    public void DeleteAll()
    {
        FileTree.Delete(Work);
        // The record goes first: without it the rest is rubbish that the next start sweeps.
        File.Delete(Record);
        FileTree.Delete(Control);
    }

    private string? ReadText(string name)
    {
        try
        {
            return File.ReadAllText(Path.Combine(Control, name));
        }
        catch (IOException)
        {
            return null;
        }
    }
}
