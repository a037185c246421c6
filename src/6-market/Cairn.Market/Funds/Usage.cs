using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;

namespace Cairn.Market.Funds;

/// <summary>What can be charged.</summary>
public enum ChargeKind
{
    /// <summary>A lease's time; the quantity is microseconds, the price is for an hour.</summary>
    Compute,

    /// <summary>Kept bytes over time; the quantity is byte-hours, the price is for a decimal gigabyte-month.</summary>
    Storage,

    /// <summary>Bytes that left the provider; the price is for a decimal gigabyte.</summary>
    Egress,

    /// <summary>The market's share of compute.</summary>
    Fee,
}

/// <summary>
/// What one lease has used of one kind, from its grant until now. Sums are cumulative, so that a repeated or late settlement charges
/// nothing twice.
/// </summary>
public sealed record Usage
{
    public required LeaseId Lease { get; init; }

    public required JobId Job { get; init; }

    public required ProjectId Project { get; init; }

    public required ChargeKind Kind { get; init; }

    public required string Provider { get; init; }

    public required string Region { get; init; }

    /// <summary>What the invoice calls it: <c>rank 0 on worker-3</c>.</summary>
    public required string Description { get; init; }

    /// <summary>For the unit of <see cref="Kind"/>.</summary>
    public required Money UnitPrice { get; init; }

    /// <summary>Since the grant, in the unit of <see cref="Kind"/>.</summary>
    public required long Quantity { get; init; }

    /// <summary>The price of <see cref="Quantity"/>, as one floor over the whole; never less than at an earlier settlement.</summary>
    public required Money Total { get; init; }

    /// <summary>When this was measured, UTC microseconds: decides the day of the charge.</summary>
    public required long AtMicros { get; init; }

    /// <summary>True where a simulated device or a played place did the work.</summary>
    public bool Simulated { get; init; }
}
