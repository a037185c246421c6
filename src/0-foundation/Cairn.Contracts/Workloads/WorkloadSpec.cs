namespace Cairn.Contracts.Workloads;

/// <summary>What a person wants run, as data. Every part but <see cref="Name"/> has a default that asks for nothing.</summary>
public sealed record WorkloadSpec
{
    /// <summary>Lower-case letters, digits and hyphens, at most 63 characters.</summary>
    public required string Name { get; init; }

    /// <summary>The owning project; null means the caller's default project.</summary>
    public string? Project { get; init; }

    /// <summary>
    /// What the workload is: a hint for planning defaults. A <see cref="Service"/> block makes it <see cref="WorkloadKind.Serve"/>.
    /// </summary>
    public WorkloadKind Kind { get; init; } = WorkloadKind.Batch;

    public ResourceSpec Resources { get; init; } = new();

    /// <summary>How many nodes the gang needs, 1 to 100,000; all start together or none.</summary>
    public int Nodes { get; init; } = 1;

    public WhereSpec Where { get; init; } = new();

    public MoneySpec Money { get; init; } = new();

    public IReadOnlyList<DataSpec> Inputs { get; init; } = [];

    public IReadOnlyList<DataSpec> Outputs { get; init; } = [];

    /// <summary>What each node of a gang sends to the others, in bytes per hour of work; 0 where unknown.</summary>
    public long NodeTrafficBytesPerHour { get; init; }

    /// <summary>A local folder uploaded to every node, relative to the file; null uploads nothing.</summary>
    public string? Workdir { get; init; }

    public IReadOnlyDictionary<string, string> Env { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Names of secrets that the task sees as environment variables; their values never enter the file, a row or a log.</summary>
    public IReadOnlyList<string> Secrets { get; init; } = [];

    /// <summary>
    /// Names of environment variables that have no value in the file: whoever runs it must give one, or the run is refused.
    /// </summary>
    public IReadOnlyList<string> RequiredEnv { get; init; } = [];

    /// <summary>A shell script run before the gang starts; its failure ends the attempt with reason <c>setup_failed</c>.</summary>
    public string? Setup { get; init; }

    /// <summary>The shell script that is the workload.</summary>
    public string? Run { get; init; }

    /// <summary>
    /// A canonical name of <see cref="Frameworks.FrameworkNames"/>; for those of training the node sets what the framework reads.
    /// </summary>
    public string? Framework { get; init; }

    public CheckpointSpec? Checkpoints { get; init; }

    public RetrySpec Retries { get; init; } = new();

    public ServiceSpec? Service { get; init; }

    /// <summary>0 to 100; a higher one is placed first. Within one priority, first come first placed.</summary>
    public int Priority { get; init; } = 50;

    /// <summary>Free words for people and filters.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>How long SIGTERM is given before SIGKILL, in seconds; default 30.</summary>
    public int StopGraceSeconds { get; init; } = 30;
}

public enum WorkloadKind
{
    Batch,
    Train,
    Finetune,
    Serve,
    Agent,
    Dev,
}
