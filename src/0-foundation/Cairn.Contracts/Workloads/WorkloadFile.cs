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
