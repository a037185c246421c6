using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;

namespace Cairn.Contracts.Plans;

/// <summary>The ranked offers for a workload with the whole cost of each, and for every rejected offer the reasons.</summary>
public sealed record Plan
{
    /// <summary>Best first.</summary>
    public required IReadOnlyList<Candidate> Candidates { get; init; }

    public required IReadOnlyList<Rejection> Rejected { get; init; }
}

/// <summary>A place for one workload and what it would cost there.</summary>
public sealed record Candidate
{
    public required Offer Offer { get; init; }

    public required PriceModel PriceModel { get; init; }

    /// <summary>Machines rented.</summary>
    public required int Machines { get; init; }

    /// <summary>Accelerators used per machine.</summary>
    public double AcceleratorsPerMachine { get; init; }

    /// <summary>Price of all machines for one hour, as rented.</summary>
    public required HourlyPrice Hourly { get; init; }

    /// <summary>The sum of <see cref="Items"/>.</summary>
    public required Money Total { get; init; }

    /// <summary>The whole expected bill, in the order of the pricing model's page. Items of zero are left out.</summary>
    public required IReadOnlyList<CostItem> Items { get; init; }

    /// <summary>From submission to the end, boot and expected repeats included, in seconds.</summary>
    public required long ExpectedSeconds { get; init; }

    /// <summary>The worst round trip from the places named in the workload, in milliseconds; null where none is named.</summary>
    public double? LatencyMs { get; init; }
}

public enum PriceModel
{
    OnDemand,
    Spot,
    Reserved,
}

/// <param name="Kind">What is paid for.</param>
/// <param name="Amount">Never negative.</param>
/// <param name="Detail">The arithmetic in words: <c>8 × 6.5 h at $2.10</c>.</param>
public sealed record CostItem(CostKind Kind, Money Amount, string Detail);

public enum CostKind
{
    Compute,
    Boot,
    BillingMinimum,
    Idle,
    Disk,
    CheckpointStorage,
    InputTransfer,
    OutputTransfer,
    NodeTraffic,
    Interruption,
    Fee,
}

public sealed record Rejection(Offer Offer, IReadOnlyList<Reason> Reasons);

/// <param name="Code">One of <see cref="ReasonCodes"/>.</param>
/// <param name="Message">Names what is needed and what the offer has.</param>
public sealed record Reason(string Code, string Message);

/// <summary>Why an offer is out. Stable: clients branch on them.</summary>
public static class ReasonCodes
{
    public const string Accelerator = "accelerator";
    public const string AcceleratorMemory = "accelerator_memory";
    public const string AcceleratorCount = "accelerator_count";
    public const string Cpus = "cpus";
    public const string Memory = "memory";
    public const string Disk = "disk";
    public const string Interconnect = "interconnect";
    public const string Labels = "labels";
    public const string DeploymentModel = "deployment_model";
    public const string Provider = "provider";
    public const string Region = "region";
    public const string Residency = "residency";
    public const string Certification = "certification";
    public const string Latency = "latency";
    public const string Availability = "availability";
    public const string Offline = "offline";
    public const string Trust = "trust";
    public const string Price = "price";
    public const string Budget = "budget";
    public const string Deadline = "deadline";
    public const string Capacity = "capacity";

    /// <summary>Machines are lost there so often that the work is not expected to end.</summary>
    public const string Interruption = "interruption";

    /// <summary>Machines can be taken away there, and the workload does not allow it.</summary>
    public const string Preemptible = "preemptible";

    /// <summary>An earlier entry of <c>ordered</c> can be had.</summary>
    public const string LaterChoice = "later_choice";
}

/// <summary>A DAG placed as a whole.</summary>
public sealed record PipelinePlan
{
    public required IReadOnlyList<PlannedStep> Steps { get; init; }

    /// <summary>What moves between steps, where it costs something.</summary>
    public required IReadOnlyList<PlannedTransfer> Transfers { get; init; }

    /// <summary>All steps and all transfers; null where some step has no place.</summary>
    public Money? Total { get; init; }
}

/// <param name="Name">The step's.</param>
/// <param name="Chosen">The place that makes the whole cheapest; null where none meets the needs.</param>
/// <param name="Plan">The step's own ranking, as if alone.</param>
public sealed record PlannedStep(string Name, Candidate? Chosen, Plan Plan);

public sealed record PlannedTransfer(string From, string To, long Bytes, Money Cost, string Detail);
