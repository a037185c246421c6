using Cairn.Contracts.Units;

namespace Cairn.Contracts.Workloads;

/// <summary>What it may cost, and how long it may take.</summary>
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
