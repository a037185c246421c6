using System.Text.Json.Serialization;
using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;

namespace Cairn.Contracts.Workloads;

/// <summary>A workload file after parsing: one step for a single workload, several for a chain or a general DAG.</summary>
public sealed record WorkloadFile
{
    /// <summary>The pipeline's name, or the single workload's.</summary>
    public required string Name { get; init; }

    /// <summary>In the order of the file; <see cref="StepSpec.Needs"/> points backwards or forwards, never in a cycle.</summary>
    public required IReadOnlyList<StepSpec> Steps { get; init; }
}

/// <summary>One node of the DAG.</summary>
public sealed record StepSpec
{
    /// <summary>Unique within the file.</summary>
    public required string Name { get; init; }

    public required WorkloadSpec Workload { get; init; }

    /// <summary>
    /// The steps whose outputs this one reads. The data that moves is the parent's outputs, or the inputs that name the parent.
    /// </summary>
    public IReadOnlyList<string> Needs { get; init; } = [];
}

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

/// <summary>What one node of the workload needs.</summary>
public sealed record ResourceSpec
{
    /// <summary>Null where any machine will do.</summary>
    public AcceleratorSpec? Accelerators { get; init; }

    /// <summary>Virtual CPUs per node. The minimum may be fractional for packing.</summary>
    public Range<double> Cpus { get; init; }

    /// <summary>Memory per node in bytes.</summary>
    public Range<long> MemoryBytes { get; init; }

    /// <summary>Scratch disk per node in bytes; 0 asks for none.</summary>
    public long DiskBytes { get; init; }

    /// <summary>The slowest acceptable network between the nodes of a gang.</summary>
    public InterconnectKind Interconnect { get; init; } = InterconnectKind.None;

    /// <summary>Node labels that must be present with these values.</summary>
    public IReadOnlyDictionary<string, string> NodeLabels { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Never two tasks of the gang on one node.</summary>
    public bool Spread { get; init; }

    /// <summary>
    /// Set in an alternative only: where this one may run, as patterns of <see cref="RegionPattern"/>, in place of <see
    /// cref="WhereSpec.Regions"/>; empty leaves the workload's.
    /// </summary>
    public IReadOnlyList<string> Regions { get; init; } = [];

    /// <summary>Set in an alternative only: in place of <see cref="WhereSpec.Interruptible"/>; null leaves the workload's.</summary>
    public bool? Interruptible { get; init; }

    /// <summary>Set in an alternative only: in place of <see cref="MoneySpec.MaxPricePerHour"/>; null leaves the workload's.</summary>
    public HourlyPrice? MaxPricePerHour { get; init; }

    /// <summary>
    /// Alternatives of which the cheapest that can be had is taken. Each is complete: parsing has merged the outer fields in, so that these
    /// decide alone where there are any. No alternative has alternatives of its own, and never both lists are filled.
    /// </summary>
    public IReadOnlyList<ResourceSpec> AnyOf { get; init; } = [];

    /// <summary>Alternatives in order of wish: a later one is taken only where no earlier one can be had.</summary>
    public IReadOnlyList<ResourceSpec> Ordered { get; init; } = [];
}

/// <summary>Accelerators by name, by memory or by vendor. Every part that is given must hold.</summary>
public sealed record AcceleratorSpec
{
    /// <summary>
    /// Names as <see cref="AcceleratorName.Canonical"/> writes them, any of which will do; they match by <see
    /// cref="AcceleratorName.Matches"/>, so
    /// <c>H100</c> covers every H100 form factor. Empty means any.
    /// </summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Lower case: <c>nvidia</c>, <c>amd</c>, <c>intel</c>, <c>google</c>, <c>aws</c>; null means any.</summary>
    public string? Vendor { get; init; }

    /// <summary>
    /// Memory of one accelerator in bytes. Parsing has widened an upper end of N GB to N GiB, so that a card sold as N GB is within.
    /// </summary>
    public Range<long> MemoryBytes { get; init; }

    /// <summary>Accelerators per node. A fraction below 1 asks for a share of one accelerator.</summary>
    public Range<double> Count { get; init; } = new(1, 1);
}

/// <summary>A closed range with open ends: null means unbounded.</summary>
public readonly record struct Range<T>(T? Min, T? Max) where T : struct, IComparable<T>
{
    public bool Contains(T value) =>
        (Min is not { } min || value.CompareTo(min) >= 0) && (Max is not { } max || value.CompareTo(max) <= 0);

    [JsonIgnore]
    public bool IsAny => Min is null && Max is null;

    public override string ToString() => (Min, Max) switch
    {
        (null, null) => "any",
        ({ } min, null) => $"{min}..",
        (null, { } max) => $"..{max}",
        ({ } min, { } max) when min.CompareTo(max) == 0 => $"{min}",
        var (min, max) => $"{min}..{max}",
    };
}

/// <summary>Where it may run. An empty list allows all.</summary>
public sealed record WhereSpec
{
    public IReadOnlyList<DeploymentModel> DeploymentModels { get; init; } = [];

    /// <summary>Provider names, compared without case.</summary>
    public IReadOnlyList<string> Providers { get; init; } = [];

    /// <summary>
    /// Region names, compared without case: <c>us-east-1</c>, <c>us-*</c>, <c>aws/us-east-1</c>, as <see cref="RegionPattern"/> reads them.
    /// </summary>
    public IReadOnlyList<string> Regions { get; init; } = [];

    /// <summary>
    /// Regions, as patterns of <see cref="RegionPattern"/>, that are taken only where no other can be had; the later in the list, the less they are wanted.
    /// </summary>
    public IReadOnlyList<string> Avoid { get; init; } = [];

    /// <summary>ISO 3166-1 country codes, or groups of them: <c>EU</c>, <c>EEA</c>. Data and compute stay inside.</summary>
    public IReadOnlyList<string> Residency { get; init; } = [];

    /// <summary>All must be held: <c>soc2</c>, <c>hipaa</c>, <c>fedramp</c>, <c>iso27001</c>, <c>pci</c>, <c>gdpr</c>.</summary>
    public IReadOnlyList<string> Certifications { get; init; } = [];

    public LatencySpec? Latency { get; init; }

    /// <summary>The least yearly availability in percent, such as 99.9; null asks for none.</summary>
    public double? AvailabilityPercent { get; init; }

    /// <summary>True where the place must go on without a network.</summary>
    public bool Offline { get; init; }

    public TrustTier Trust { get; init; } = TrustTier.Community;

    /// <summary>True allows, and prefers where cheaper, capacity that can be taken away.</summary>
    public bool Interruptible { get; init; }
}

/// <summary>The round trip from named places to the place of work.</summary>
public sealed record LatencySpec
{
    public required double MaxMs { get; init; }

    /// <summary>Every one must be within <see cref="MaxMs"/>; at least one.</summary>
    public required IReadOnlyList<PlaceSpec> From { get; init; }
}

/// <summary>A point on Earth with the name that the person used for it.</summary>
public sealed record PlaceSpec(string Name, GeoPoint Point);

public sealed record MoneySpec
{
    /// <summary>The highest price of one node.</summary>
    public HourlyPrice? MaxPricePerHour { get; init; }

    /// <summary>The most that the whole job may cost; the job is stopped before it is spent.</summary>
    public Money? Budget { get; init; }

    /// <summary>How long after submission the job must have finished, in seconds.</summary>
    public long? DeadlineSeconds { get; init; }

    /// <summary>How long the work takes at the place it is planned for, in seconds; null plans with one hour.</summary>
    public long? ExpectedDurationSeconds { get; init; }

    /// <summary>The run time after which the job is stopped, in seconds.</summary>
    public long? MaxDurationSeconds { get; init; }
}

/// <summary>Data that the workload reads or writes.</summary>
public sealed record DataSpec
{
    public required string Name { get; init; }

    /// <summary>Where it lies in the working directory: a relative path.</summary>
    public string? Path { get; init; }

    /// <summary>Its size in bytes; 0 where unknown.</summary>
    public long SizeBytes { get; init; }

    /// <summary>
    /// Where it is (an input) or must go (an output): <c>PROVIDER/REGION</c>, <c>s3://…</c>, <c>https://…</c>; null means the control
    /// plane.
    /// </summary>
    public string? Place { get; init; }

    /// <summary>The step whose output this input is; null where it comes from <see cref="Place"/>.</summary>
    public string? Step { get; init; }
}

public sealed record CheckpointSpec
{
    /// <summary>A folder in the working directory that is kept across attempts.</summary>
    public required string Path { get; init; }

    /// <summary>Seconds between checkpoints; half of it is the work lost on average when a machine is taken away. Default 1800.</summary>
    public long IntervalSeconds { get; init; } = 1800;

    /// <summary>Size of one checkpoint in bytes.</summary>
    public long SizeBytes { get; init; }
}

/// <summary>What is tried again after a failure.</summary>
public sealed record RetrySpec
{
    /// <summary>
    /// Further attempts after the first failed by itself, 0 to 1000; a lost or reclaimed machine does not count. Default 0.
    /// </summary>
    public int Max { get; init; }

    /// <summary>Exit codes that are retried; empty retries every failure.</summary>
    public IReadOnlyList<int> OnExitCodes { get; init; } = [];

    /// <summary>What is started again when some ranks of a gang are lost.</summary>
    public RestartPolicy Restart { get; init; } = RestartPolicy.Gang;

    /// <summary>Further attempts after lost machines, 0 to 1000. Default 10.</summary>
    public int MaxLost { get; init; } = 10;

    /// <summary>What a node does with a task whose lease it cannot renew.</summary>
    public DisconnectedPolicy Disconnected { get; init; } = DisconnectedPolicy.Continue;
}

public enum RestartPolicy
{
    /// <summary>All ranks stop and start again from the checkpoint.</summary>
    Gang,

    /// <summary>Only the lost ranks are replaced; the others are told and go on.</summary>
    Lost,
}

public enum DisconnectedPolicy
{
    /// <summary>Go on working, report later; if the job was placed again meanwhile, the late results are refused by epoch.</summary>
    Continue,

    /// <summary>Stop when the lease runs out, so that never two attempts work at once.</summary>
    Stop,
}
