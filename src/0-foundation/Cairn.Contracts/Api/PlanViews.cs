using Cairn.Contracts.Offers;
using Cairn.Contracts.Plans;

namespace Cairn.Contracts.Api;

/// <summary>POST /api/v1/plan. The body of <c>cairn plan</c>.</summary>
public sealed record PlanRequest
{
    /// <summary>The workload file's text, in any accepted dialect.</summary>
    public required string Workload { get; init; }

    public string? FileName { get; init; }

    /// <summary><c>PROVIDER</c> or <c>PROVIDER/REGION</c>.</summary>
    public string? At { get; init; }

    /// <summary>True plans only over places where nodes have joined, so that a job can start there now.</summary>
    public bool RunnableOnly { get; init; }

    /// <summary>How many candidates are returned, cheapest first; default 25, 0 means all.</summary>
    public int Limit { get; init; } = 25;

    /// <summary>How many rejected offers are returned; default 200, 0 means all.</summary>
    public int RejectedLimit { get; init; } = 200;
}

/// <summary>Where a workload would run, best first, and why each other place is out.</summary>
public sealed record PlanView
{
    public required IReadOnlyList<CandidateView> Candidates { get; init; }

    public required IReadOnlyList<RejectionView> Rejected { get; init; }

    /// <summary>All candidates, also those beyond the limit.</summary>
    public required int CandidateCount { get; init; }

    public required int RejectedCount { get; init; }

    public static PlanView From(Plan plan, int limit = 0, int rejectedLimit = 0) => new()
    {
        Candidates = [.. plan.Candidates.Take(limit == 0 ? int.MaxValue : limit).Select(CandidateView.From)],
        Rejected = [.. plan.Rejected.Take(rejectedLimit == 0 ? int.MaxValue : rejectedLimit)
            .Select(r => new RejectionView(OfferView.From(r.Offer), r.Reasons))],
        CandidateCount = plan.Candidates.Count,
        RejectedCount = plan.Rejected.Count,
    };
}

/// <summary>A DAG's plan: each step's own ranking, the place chosen for it, and the bill of the whole.</summary>
public sealed record PipelinePlanView
{
    public required IReadOnlyList<StepPlanView> Steps { get; init; }

    public required IReadOnlyList<TransferView> Transfers { get; init; }

    /// <summary>Null where some step has no place.</summary>
    public decimal? TotalUsd { get; init; }

    public static PipelinePlanView From(PipelinePlan plan, int limit = 0, int rejectedLimit = 0) => new()
    {
        Steps = [.. plan.Steps.Select(step => StepPlanView.From(step, limit, rejectedLimit))],
        Transfers = [.. plan.Transfers.Select(t => new TransferView(t.From, t.To, t.Bytes, t.Cost.Usd, t.Detail))],
        TotalUsd = plan.Total?.Usd,
    };
}

public sealed record StepPlanView(
    string Name, CandidateView? Chosen, IReadOnlyList<CandidateView> Candidates, IReadOnlyList<RejectionView> Rejected)
{
    public static StepPlanView From(PlannedStep step, int limit, int rejectedLimit)
    {
        var alone = PlanView.From(step.Plan, limit, rejectedLimit);
        return new StepPlanView(step.Name, step.Chosen is null ? null : CandidateView.From(step.Chosen), alone.Candidates, alone.Rejected);
    }
}

public sealed record TransferView(string From, string To, long Bytes, decimal CostUsd, string Detail);

public sealed record RejectionView(OfferView Offer, IReadOnlyList<Reason> Reasons);

public sealed record CandidateView
{
    public required OfferView Offer { get; init; }

    public required PriceModel PriceModel { get; init; }

    public required int Machines { get; init; }

    public double AcceleratorsPerMachine { get; init; }

    public required decimal HourlyUsd { get; init; }

    public required decimal TotalUsd { get; init; }

    public required IReadOnlyList<CostItemView> Items { get; init; }

    public required long ExpectedSeconds { get; init; }

    public double? LatencyMs { get; init; }

    public static CandidateView From(Candidate candidate) => new()
    {
        Offer = OfferView.From(candidate.Offer),
        PriceModel = candidate.PriceModel,
        Machines = candidate.Machines,
        AcceleratorsPerMachine = candidate.AcceleratorsPerMachine,
        HourlyUsd = candidate.Hourly.UsdPerHour,
        TotalUsd = candidate.Total.Usd,
        Items = [.. candidate.Items.Select(item => new CostItemView(item.Kind, item.Amount.Usd, item.Detail))],
        ExpectedSeconds = candidate.ExpectedSeconds,
        LatencyMs = candidate.LatencyMs,
    };
}

public sealed record CostItemView(CostKind Kind, decimal AmountUsd, string Detail);

/// <summary>An offer as tables and scripts want it: flat.</summary>
public sealed record OfferView
{
    public required string Id { get; init; }

    public required string Provider { get; init; }

    public required DeploymentModel DeploymentModel { get; init; }

    public required string Region { get; init; }

    public string? Country { get; init; }

    public required string InstanceType { get; init; }

    public string? Accelerator { get; init; }

    public int AcceleratorCount { get; init; }

    public long AcceleratorMemoryBytes { get; init; }

    public double Cpus { get; init; }

    public long MemoryBytes { get; init; }

    public required decimal OnDemandUsdPerHour { get; init; }

    public decimal? SpotUsdPerHour { get; init; }

    public decimal? ReservedUsdPerHour { get; init; }

    public IReadOnlyList<string> Certifications { get; init; } = [];

    public double AvailabilityPercent { get; init; }

    public InterconnectKind Interconnect { get; init; }

    public int BillingIncrementSeconds { get; init; }

    public int BootSeconds { get; init; }

    public int? Capacity { get; init; }

    /// <summary>True where enrolled nodes stand behind it.</summary>
    public bool Runnable { get; init; }

    public bool Simulated { get; init; }

    /// <summary>True where the machine can be taken away at any time, whatever it costs.</summary>
    public bool Preemptible { get; init; }

    public required string Source { get; init; }

    public required DateOnly AsOf { get; init; }

    public static OfferView From(Offer offer) => new()
    {
        Id = offer.Id,
        Provider = offer.Provider,
        DeploymentModel = offer.DeploymentModel,
        Region = offer.Region.Name,
        Country = offer.Region.Country.Length == 0 ? null : offer.Region.Country,
        InstanceType = offer.InstanceType,
        Accelerator = offer.Accelerators?.Name,
        AcceleratorCount = offer.Accelerators?.Count ?? 0,
        AcceleratorMemoryBytes = offer.Accelerators?.MemoryBytes ?? 0,
        Cpus = offer.Cpus,
        MemoryBytes = offer.MemoryBytes,
        OnDemandUsdPerHour = offer.OnDemand.UsdPerHour,
        SpotUsdPerHour = offer.Spot?.UsdPerHour,
        ReservedUsdPerHour = offer.Reserved?.UsdPerHour,
        Certifications = offer.Certifications,
        AvailabilityPercent = offer.AvailabilityPercent,
        Interconnect = offer.Interconnect,
        BillingIncrementSeconds = offer.BillingIncrementSeconds,
        BootSeconds = offer.BootSeconds,
        Capacity = offer.Capacity,
        Runnable = offer.Runnable,
        Simulated = offer.Simulated,
        Preemptible = offer.Preemptible,
        Source = offer.Source,
        AsOf = offer.AsOf,
    };
}
