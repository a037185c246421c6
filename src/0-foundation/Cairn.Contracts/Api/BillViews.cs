using Cairn.Contracts.Ids;
using Cairn.Contracts.Plans;
using Cairn.Contracts.Units;

namespace Cairn.Contracts.Api;

/// <summary>GET /api/v1/bill?from=&amp;to=&amp;by=job|project|provider|day.</summary>
public sealed record BillView
{
    public required DateTimeOffset From { get; init; }

    public required DateTimeOffset To { get; init; }

    /// <summary>What the rows are grouped by.</summary>
    public required string By { get; init; }

    public required IReadOnlyList<BillRow> Rows { get; init; }

    /// <summary>What the use of models was charged, a line per model and who answered; null where there was none. The rows have it too.</summary>
    public IReadOnlyList<InvoiceLine>? Inference { get; init; }

    /// <summary>The exact sum of the rows.</summary>
    public required Money Total { get; init; }
}

/// <param name="Key">The job's name, the project, the provider or the day; of the use of models by job, <c>model NAME</c>.</param>
public sealed record BillRow(string Key, JobId? JobId, Money Compute, Money Storage, Money Egress, Money Fees, Money Total, double BilledHours)
{
    /// <summary>The use of models.</summary>
    public Money Inference { get; init; }
}

/// <summary>GET /api/v1/jobs/{job}/invoice.</summary>
public sealed record InvoiceView
{
    public required JobId JobId { get; init; }

    public required string Job { get; init; }

    public required string Project { get; init; }

    /// <summary>True once the job has ended and the last second is settled.</summary>
    public required bool Final { get; init; }

    public required IReadOnlyList<InvoiceLine> Lines { get; init; }

    /// <summary>The exact sum of the lines, and what left the project's account.</summary>
    public required Money Total { get; init; }

    /// <summary>True where a node with simulated devices or at a played place did the work.</summary>
    public bool Simulated { get; init; }

    /// <summary>What the same seconds and bytes would have cost elsewhere, cheapest first.</summary>
    public IReadOnlyList<AlternativeView>? Alternatives { get; init; }
}

/// <param name="Kind">compute, storage, egress, fee or inference.</param>
/// <param name="Description">Node, rank and price in words.</param>
/// <param name="Quantity">In <paramref name="Unit"/>.</param>
/// <param name="Unit">s, GB, GB-month or M tokens.</param>
public sealed record InvoiceLine(string Kind, string Description, string Provider, double Quantity, string Unit, decimal UnitPriceUsd, Money Amount);

/// <param name="Reason">Why the job could not run there, where it could not.</param>
public sealed record AlternativeView(string Provider, string Region, string InstanceType, Money? Total, IReadOnlyList<CostItem>? Items, string? Reason);

/// <summary>GET /api/v1/projects/{project}/balance.</summary>
/// <param name="Available">Can be held for new work.</param>
/// <param name="Held">Reserved for jobs that are running or queued.</param>
/// <param name="Spent">Left the project for good.</param>
public sealed record BalanceView(string Project, Money Granted, Money Available, Money Held, Money Spent);

/// <summary>POST /api/v1/projects/{project}/credits.</summary>
public sealed record GrantCreditsRequest(Money Amount, string? Note);
