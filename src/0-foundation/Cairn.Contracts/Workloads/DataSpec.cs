namespace Cairn.Contracts.Workloads;

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

/// <summary>What the work writes now and then, so that it can go on from there.</summary>
public sealed record CheckpointSpec
{
    /// <summary>A folder in the working directory that is kept across attempts.</summary>
    public required string Path { get; init; }

    /// <summary>Seconds between checkpoints; half of it is the work lost on average when a machine is taken away. Default 1800.</summary>
    public long IntervalSeconds { get; init; } = 1800;

    /// <summary>Size of one checkpoint in bytes.</summary>
    public long SizeBytes { get; init; }
}
