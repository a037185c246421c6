using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Units;

namespace Cairn.Contracts.Api;

/// <summary>POST /api/v1/jobs. The body of <c>cairn run</c>.</summary>
public sealed record SubmitJobRequest
{
    /// <summary>The workload file's text, in any accepted dialect.</summary>
    public required string Workload { get; init; }

    /// <summary>The file's name for messages; default <c>workload.yaml</c>.</summary>
    public string? FileName { get; init; }

    /// <summary>Replaces the workload's name.</summary>
    public string? Name { get; init; }

    public string? Project { get; init; }

    /// <summary>Added to, and replacing, the workload's own.</summary>
    public IReadOnlyDictionary<string, string>? Env { get; init; }

    /// <summary>Values of the secrets that the workload names. Kept sealed, never returned.</summary>
    public IReadOnlyDictionary<string, string>? Secrets { get; init; }

    /// <summary><c>PROVIDER</c> or <c>PROVIDER/REGION</c>: run there and nowhere else.</summary>
    public string? At { get; init; }

    /// <summary>The working directory; its blobs are uploaded before.</summary>
    public ApiManifest? Workdir { get; init; }
}

/// <summary>A directory as content-addressed files.</summary>
public sealed record ApiManifest(IReadOnlyList<ApiFile> Files);

/// <param name="Path">Relative, forward slashes.</param>
/// <param name="Hash">SHA-256, lower-case hex.</param>
/// <param name="SizeBytes">Length of the content.</param>
/// <param name="Mode">Permission bits.</param>
/// <param name="LinkTarget">For a symbolic link inside the tree.</param>
public sealed record ApiFile(string Path, string Hash, long SizeBytes, int Mode, string? LinkTarget = null);

/// <summary>One page of a listing.</summary>
/// <param name="Items">In the listing's order.</param>
/// <param name="NextCursor">Give it as <c>cursor</c> for the next page; null on the last.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? NextCursor);

/// <summary>GET /api/v1/jobs and /jobs/{name or id}.</summary>
public sealed record JobView
{
    public required JobId Id { get; init; }

    public required string Name { get; init; }

    public required string Project { get; init; }

    public required JobPhase Phase { get; init; }

    /// <summary>One of <see cref="EndReasons"/> once ended, or why it waits.</summary>
    public string? Reason { get; init; }

    /// <summary>The reason in words.</summary>
    public string? Message { get; init; }

    public required int Nodes { get; init; }

    public string? Provider { get; init; }

    public string? Region { get; init; }

    public string? InstanceType { get; init; }

    /// <summary>Accelerators as written, such as <c>H100:8</c>.</summary>
    public string? Accelerators { get; init; }

    /// <summary>True where a simulated device or place is involved.</summary>
    public bool Simulated { get; init; }

    public required int Attempt { get; init; }

    public int? ExitCode { get; init; }

    public required DateTimeOffset SubmittedAt { get; init; }

    public DateTimeOffset? PlacedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Charged so far.</summary>
    public Money Cost { get; init; }

    /// <summary>The price of all its leases for one hour.</summary>
    public HourlyPrice Hourly { get; init; }

    public string? SubmittedBy { get; init; }

    /// <summary>Only with one job: every attempt, oldest first.</summary>
    public IReadOnlyList<AttemptView>? Attempts { get; init; }

    /// <summary>Only with one job: what happened, oldest first.</summary>
    public IReadOnlyList<JobEventView>? Timeline { get; init; }

    /// <summary>Only with one job: what it left behind.</summary>
    public IReadOnlyList<OutputView>? Outputs { get; init; }

    /// <summary>Only with one job: the canonical workload.</summary>
    public Workloads.WorkloadSpec? Workload { get; init; }
}

public sealed record AttemptView(int Number, string? Reason, string? Message, IReadOnlyList<TaskView> Tasks);

public sealed record TaskView
{
    public required TaskId Id { get; init; }

    public required int Rank { get; init; }

    public required string Node { get; init; }

    public required TaskState State { get; init; }

    public string? Reason { get; init; }

    public string? Message { get; init; }

    public int? ExitCode { get; init; }

    public int? Signal { get; init; }

    public required long Epoch { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public double BilledSeconds { get; init; }

    public Money Cost { get; init; }
}

/// <summary>One entry of a job's timeline; also the data of the event stream.</summary>
/// <param name="Sequence">Grows within the job; resume a stream after it.</param>
/// <param name="At">When it was recorded.</param>
/// <param name="Kind">Such as <c>queued</c>, <c>placed</c>, <c>running</c>, <c>node_lost</c>, <c>ended</c>.</param>
/// <param name="Message">In words.</param>
/// <param name="Phase">The job's phase after it.</param>
public sealed record JobEventView(long Sequence, DateTimeOffset At, string Kind, string Message, JobPhase Phase);

public sealed record OutputView(string Name, long SizeBytes, int Files);

/// <summary>One line of a task's log, as the log stream sends it.</summary>
/// <param name="At">When the node read it.</param>
/// <param name="Rank">Which task of the gang.</param>
/// <param name="Stream"><c>stdout</c>, <c>stderr</c>, or <c>system</c> for Cairn's own words about the task.</param>
/// <param name="Text">Without the line end.</param>
/// <param name="Cursor">Resume after it.</param>
/// <param name="Partial">True where the line goes on in the rank's next one of the same stream; else left out.</param>
public sealed record LogLineView(DateTimeOffset At, int Attempt, int Rank, string Stream, string Text, string Cursor, bool? Partial = null);
