using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Units;
using Cairn.Fleet.Leasing;

namespace Cairn.Fleet.Jobs;

/// <summary>
/// One task and its lease as their row says it: a lease has one use, so the two share a row and an id. Times are UTC microseconds by
/// the server's clock unless said otherwise.
/// </summary>
internal sealed class LiveTask
{
    public required TaskId Id { get; init; }

    public required JobId JobId { get; init; }

    /// <summary>The round of placement that made it: also the epoch that fences its node.</summary>
    public required int Attempt { get; init; }

    public required int Rank { get; init; }

    public required NodeId NodeId { get; init; }

    /// <summary>The node's name when the lease was granted.</summary>
    public required string Node { get; init; }

    /// <summary>Who is paid for the lease.</summary>
    public required string Provider { get; init; }

    public required string Region { get; init; }

    /// <summary>Indexes of the devices it may use, with commas.</summary>
    public string Devices { get; init; } = "";

    public double TakesAccelerators { get; init; }

    public double TakesCpus { get; init; }

    public long TakesMemoryBytes { get; init; }

    public long TakesDiskBytes { get; init; }

    public TaskState State { get; set; }

    /// <summary>One of <see cref="EndReasons"/>: why it ended, or why it was asked to stop.</summary>
    public string? Reason { get; set; }

    public string? Message { get; set; }

    public int? ExitCode { get; set; }

    public int? Signal { get; set; }

    /// <summary>The last report that was applied.</summary>
    public long ReportSequence { get; set; }

    /// <summary>Length of the whole log, once the task has told.</summary>
    public long? LogBytes { get; set; }

    public required HourlyPrice Price { get; init; }

    /// <summary>Whether time before the task runs is billed.</summary>
    public bool BillsBoot { get; init; }

    public required long GrantedAt { get; init; }

    public long? RunningAt { get; set; }

    public long? EndedAt { get; set; }

    /// <summary>Billable microseconds up to the last settlement.</summary>
    public long BilledMicros { get; set; }

    /// <summary>Charged up to the last settlement.</summary>
    public Money Settled { get; set; }

    /// <summary>It began to run while its node had no connection. Kept in memory: after a restart the bill can only get smaller.</summary>
    public bool BeganUnheard { get; set; }

    /// <summary>The job it belongs to. Not a column.</summary>
    public LiveJob Job { get; set; } = null!;

    public bool HasEnded => State == TaskState.Ended;

    public bool Succeeded => HasEnded && Reason == EndReasons.Succeeded;

    /// <summary>Fences late actors: only reports with this epoch count.</summary>
    public long Epoch => Attempt;

    public LeaseId LeaseId => new(Id.Value);

    /// <summary>The task's id as messages carry it.</summary>
    public string WireId => field ??= Id.ToString();

    public LeaseTimes Times => new(GrantedAt, RunningAt, BillsBoot, BeganUnheard);

    public int[] DeviceIndexes =>
        Devices.Length == 0 ? [] : [.. Devices.Split(',').Select(i => int.Parse(i, System.Globalization.CultureInfo.InvariantCulture))];
}
