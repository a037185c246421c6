using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;

namespace Cairn.Bench.Planning;

/// <summary>What is planned: one accelerator asked for by name, needs of many kinds, a choice, and needs that nearly every offer meets.</summary>
internal static class PlanningWorkloads
{
    private const long GB = 1_000_000_000;

    public static readonly WorkloadSpec Training = new()
    {
        Name = "training",
        Kind = WorkloadKind.Train,
        Nodes = 4,
        Resources = new ResourceSpec
        {
            Accelerators = new AcceleratorSpec { Names = ["H100"], Count = new(8, 8) }, Interconnect = InterconnectKind.FastEthernet,
        },
        Where = new WhereSpec { Interruptible = true },
        Money = new MoneySpec { ExpectedDurationSeconds = 72 * 3600 },
        Checkpoints = new CheckpointSpec { Path = "checkpoints", SizeBytes = 500 * GB },
        Inputs = [new DataSpec { Name = "corpus", SizeBytes = 2000 * GB, Place = "provider-0/region-3" }],
        Outputs = [new DataSpec { Name = "weights", SizeBytes = 140 * GB }],
    };

    public static readonly WorkloadSpec Regulated = new()
    {
        Name = "regulated",
        Resources = new ResourceSpec
        {
            Accelerators = new AcceleratorSpec { MemoryBytes = new(40L << 30, null) }, MemoryBytes = new(64 * GB, null), DiskBytes = 800 * GB,
        },
        Where = new WhereSpec
        {
            Residency = ["EU"], Certifications = ["soc2", "hipaa"], AvailabilityPercent = 99.9,
            Latency = new LatencySpec { MaxMs = 150, From = [new("Berlin", new GeoPoint(52.5, 13.4)), new("Madrid", new GeoPoint(40.4, -3.7))] },
        },
        Money = new MoneySpec { ExpectedDurationSeconds = 8 * 3600, Budget = Money.FromUsd(500), DeadlineSeconds = 24 * 3600 },
    };

    public static readonly WorkloadSpec AnyOf = new()
    {
        Name = "any-of",
        Resources = new ResourceSpec
        {
            AnyOf = [.. new[] { "H100", "A100", "L40S", "RTX4090" }.Select(n => new ResourceSpec { Accelerators = new AcceleratorSpec { Names = [n] } })],
        },
        Money = new MoneySpec { ExpectedDurationSeconds = 6 * 3600 },
    };

    /// <summary>Nearly all offers are candidates, twice where they have spot: the most that there is to price.</summary>
    public static readonly WorkloadSpec Anything = new()
    {
        Name = "anything",
        Resources = new ResourceSpec { Cpus = new(2, null), DiskBytes = 100 * GB },
        Where = new WhereSpec { Interruptible = true },
        Money = new MoneySpec { ExpectedDurationSeconds = 3 * 3600, Budget = Money.FromUsd(1000), DeadlineSeconds = 24 * 3600 },
        Outputs = [new DataSpec { Name = "result", SizeBytes = 10 * GB }],
    };

    /// <summary>Six stages with two ways that part and meet, so that no dynamic programme over a tree places it.</summary>
    public static readonly WorkloadFile Dag = new()
    {
        Name = "six-stages",
        Steps =
        [
            Step("ingest", Certified(Cpu()), 3000), Step("clean", Certified(Cpu()), 1500, "ingest"), Step("tokenize", Cpu(), 800, "clean"),
            Step("train", Training with { Inputs = [], Outputs = [] }, 140, "tokenize"),
            Step("evaluate", AnyOf, 1, "train", "clean"), Step("serve", Regulated, 0, "train", "evaluate"),
        ],
    };

    private static WorkloadSpec Cpu() => new()
    {
        Name = "cpu", Resources = new ResourceSpec { Cpus = new(16, null) }, Money = new MoneySpec { ExpectedDurationSeconds = 2 * 3600 },
    };

    private static WorkloadSpec Certified(WorkloadSpec workload) => workload with { Where = new WhereSpec { Certifications = ["soc2"] } };

    private static StepSpec Step(string name, WorkloadSpec workload, long outputGB, params string[] needs) => new()
    {
        Name = name,
        Needs = needs,
        Workload = workload with { Name = name, Outputs = [new DataSpec { Name = "data", SizeBytes = outputGB * GB }] },
    };
}
