namespace Cairn.Contracts.Jobs;

/// <summary>Where a job is in its life. Health and the reason of an end are fields of their own.</summary>
public enum JobPhase
{
    /// <summary>Accepted and durable, waits for room.</summary>
    Queued,

    /// <summary>Has leases; its tasks fetch files and run setup.</summary>
    Starting,

    Running,

    /// <summary>Lost machines or a failed attempt; a new attempt is being placed.</summary>
    Recovering,

    /// <summary>A person or a limit asked it to stop; its tasks are given their grace.</summary>
    Stopping,

    Succeeded,
    Failed,
    Stopped,
}

/// <summary>Where a task is in its life, as rows and the API say it; the wire has the same words.</summary>
public enum TaskState
{
    Assigned,
    Preparing,
    Ready,
    Running,
    Stopping,
    Ended,
}

public enum NodePhase
{
    /// <summary>Takes work.</summary>
    Active,

    /// <summary>Takes no new work; what runs goes on.</summary>
    Cordoned,

    /// <summary>Takes no new work; what runs is moved away.</summary>
    Draining,

    /// <summary>Gone by a person's word; its key is refused.</summary>
    Removed,
}

public enum NodeHealth
{
    Healthy,

    /// <summary>Silent for a while: takes no new work, keeps its leases.</summary>
    Unhealthy,

    /// <summary>Silent for so long that its leases are void.</summary>
    Lost,
}

/// <summary>Machine-readable reasons why a task, an attempt or a job ended. Stable.</summary>
public static class EndReasons
{
    public const string Succeeded = "succeeded";

    /// <summary>The program ended with a code other than 0.</summary>
    public const string ExitCode = "exit_code";

    /// <summary>A signal that Cairn did not send ended the program.</summary>
    public const string Signal = "signal";
    public const string OutOfMemory = "out_of_memory";
    public const string OutOfDisk = "out_of_disk";
    public const string SetupFailed = "setup_failed";
    public const string WorkdirFailed = "workdir_failed";
    public const string StartFailed = "start_failed";

    /// <summary>The program succeeded, but the server refused to store what it left.</summary>
    public const string OutputsFailed = "outputs_failed";

    /// <summary>A person stopped it.</summary>
    public const string Stopped = "stopped";
    public const string MaxDuration = "max_duration";
    public const string Deadline = "deadline";
    public const string Budget = "budget";
    public const string Funds = "funds";

    /// <summary>The node was silent for too long.</summary>
    public const string NodeLost = "node_lost";
    public const string NodeDrained = "node_drained";
    public const string NodeRemoved = "node_removed";

    /// <summary>Another rank of the gang ended, so this one was stopped.</summary>
    public const string GangEnded = "gang_ended";

    /// <summary>The lease ran out while the node could not reach the control plane.</summary>
    public const string LeaseExpired = "lease_expired";

    /// <summary>A newer attempt holds the lease.</summary>
    public const string Superseded = "superseded";

    /// <summary>The daemon cannot say how it ended: the machine was restarted.</summary>
    public const string Unknown = "unknown";
}
