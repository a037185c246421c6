using Cairn.Contracts.Workloads;

namespace Cairn.Planning.Costs;

/// <summary>What a workload says about time, read once per plan.</summary>
internal readonly record struct WorkTime
{
    /// <summary>What is planned with where the workload says nothing.</summary>
    public const long DefaultSeconds = 3600;

    /// <summary>A century bounds what a file can say.</summary>
    public const long MaxSeconds = 100L * 8760 * 3600;

    public long Seconds { get; private init; }

    /// <summary>Less than <see cref="Seconds"/> only for a service that scales to nothing.</summary>
    public long BilledWorkSeconds { get; private init; }

    public long CheckpointSeconds { get; private init; }

    /// <summary>Machines that stop together when one of them is lost.</summary>
    public int GangMachines { get; private init; }

    /// <summary>Machines rented in all.</summary>
    public int Machines { get; private init; }

    /// <summary>Serves rather than ends: the time is the time served, a loss does not stretch it.</summary>
    public bool Continuous { get; private init; }

    /// <summary>The time is known, not expected: nothing is lost beyond it.</summary>
    public bool Certain { get; private init; }

    /// <summary>Busy share of a service in millionths; the rest is idle and billed.</summary>
    public long BusyMillionths { get; private init; }

    public static WorkTime Of(WorkloadSpec workload, bool certain)
    {
        var seconds = Math.Clamp(workload.Money.ExpectedDurationSeconds
            ?? Math.Min(DefaultSeconds, workload.Money.MaxDurationSeconds ?? DefaultSeconds), 0, MaxSeconds);
        var busy = workload.Service is { } service ? Math.Clamp((long)Math.Round(service.Utilization * 1e6), 0, 1_000_000) : 1_000_000;
        var scalesToNothing = workload.Service is { MinReplicas: 0 };
        var nodes = Math.Max(1, workload.Nodes);
        return new WorkTime
        {
            Seconds = seconds,
            BilledWorkSeconds = scalesToNothing ? (seconds * busy + 999_999) / 1_000_000 : seconds,
            BusyMillionths = scalesToNothing ? 1_000_000 : busy,
            CheckpointSeconds = workload.Checkpoints?.IntervalSeconds ?? seconds,
            GangMachines = IndependentRanks(workload) ? 1 : nodes,
            Machines = (int)Math.Min(int.MaxValue, (long)nodes * Math.Max(1, workload.Service?.MinReplicas ?? 1)),
            Continuous = workload.Service is not null || workload.Kind is WorkloadKind.Serve or WorkloadKind.Agent,
            Certain = certain,
        };
    }

    /// <summary>
    /// Whether the other ranks really go on when one is lost. Ranks that train one model wait for each other's gradients and go back to the same
    /// checkpoint, whether they are started again or only told.
    /// </summary>
    private static bool IndependentRanks(WorkloadSpec workload) =>
        workload.Retries.Restart == RestartPolicy.Lost && workload.Kind is not (WorkloadKind.Train or WorkloadKind.Finetune);
}
