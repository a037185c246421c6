using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using Cairn.Fleet.Placement;
using Cairn.State;
using Cairn.State.Rows;

namespace Cairn.Fleet.Jobs;

/// <summary>
/// One job as its row says it: the columns' names are the properties'. Times are UTC microseconds. While the job has not ended the
/// reconciler holds it in memory and alone changes it; a property that changes is written with the turn that changed it.
/// </summary>
internal sealed class LiveJob
{
    public required JobId Id { get; init; }

    /// <summary>Unique in its project while the job has not ended.</summary>
    public required string Name { get; set; }

    /// <summary>The name before a suffix. Not a column; only at submission.</summary>
    public string WishedName { get; init; } = "";

    public required ProjectId ProjectId { get; init; }

    /// <summary>The project's name at submission.</summary>
    public required string Project { get; init; }

    public string? SubmittedBy { get; init; }

    public string? IdempotencyKey { get; init; }

    /// <summary>Hash of the request that came with <see cref="IdempotencyKey"/>.</summary>
    public string? RequestHash { get; init; }

    public required int Priority { get; init; }

    /// <summary>Ranks of the gang.</summary>
    public required int Nodes { get; init; }

    public required JsonText<WorkloadSpec> Spec { get; init; }

    /// <summary>Where it may run, best first: the plan at admission, made anew when other nodes have joined while it waits.</summary>
    public required JsonText<IReadOnlyList<Place>> Places { get; set; }

    public required long SubmittedAt { get; init; }

    public JobPhase Phase { get; set; }

    public string? Reason { get; set; }

    public string? Message { get; set; }

    /// <summary>Rounds of placement so far: the number of the newest attempt and the epoch of its tasks.</summary>
    public int Attempt { get; set; }

    /// <summary>Attempts that failed by themselves.</summary>
    public int Failures { get; set; }

    /// <summary>Times that machines were lost.</summary>
    public int Losses { get; set; }

    /// <summary>The ranks that wait for a place: null for none, empty for all, else their numbers with commas.</summary>
    public string? Wanted { get; set; }

    /// <summary>Not placed before.</summary>
    public long NotBefore { get; set; }

    public int? ExitCode { get; set; }

    public string? Provider { get; set; }

    public string? Region { get; set; }

    public string? InstanceType { get; set; }

    public string? Accelerators { get; set; }

    public bool Simulated { get; set; }

    public HourlyPrice Hourly { get; set; }

    /// <summary>Charged so far, over all its leases.</summary>
    public Money Cost { get; set; }

    public long? PlacedAt { get; set; }

    public long? StartedAt { get; set; }

    public long? EndedAt { get; set; }

    /// <summary>When someone asked it to stop; the row is written by the endpoint, and read back by the reconciler.</summary>
    public long? StopAskedAt { get; set; }

    public int? StopGraceSeconds { get; set; }

    public string? StopReason { get; set; }

    /// <summary>The number of the newest event.</summary>
    public long EventSequence { get; set; }

    /// <summary>Whether it has a working directory, in <c>job_files</c>.</summary>
    public bool HasFiles { get; init; }

    /// <summary>Whether it has sealed secrets, in <c>job_secrets</c>.</summary>
    public bool HasSecrets { get; set; }

    /// <summary>Whether an attempt left a checkpoint, in <c>job_outputs</c>.</summary>
    public bool HasCheckpoint { get; set; }

    /// <summary>The first job of the pipeline that this one is a step of.</summary>
    public JobId? PipelineId { get; init; }

    /// <summary>Its name within the pipeline.</summary>
    public string? Step { get; init; }

    /// <summary>The steps that must have succeeded before it is placed, with commas; null once they have.</summary>
    public string? WaitsFor { get; set; }

    /// <summary>The newest task of every rank, by rank; null before its first. Not a column.</summary>
    public LiveTask?[] Ranks { get; private set; } = [];

    /// <summary>Why it waits is not looked into before. Not a column.</summary>
    public long ExplainAgainAt { get; set; }

    /// <summary>The columns <c>spec</c> and <c>places</c> as text; equal jobs share it.</summary>
    public string SpecText { get => field ??= JsonSerializer.Serialize(Spec.Value, ApiJson.Compact); init; }

    public string PlacesText { get => field ??= JsonSerializer.Serialize(Places.Value, ApiJson.Compact); set; }

    public bool HasEnded => EndedAt is not null;

    public WorkloadSpec Workload => Spec.Value;

    /// <summary>The tasks that have not ended.</summary>
    public IEnumerable<LiveTask> LiveTasks => Ranks.Where(t => t is { HasEnded: false })!;

    public void MakeRoomForRanks()
    {
        if (Ranks.Length != Nodes)
            Ranks = new LiveTask?[Nodes];
    }

    /// <summary>The ranks of <see cref="Wanted"/> as numbers.</summary>
    public int[] WantedRanks => Wanted switch
    {
        null => [],
        "" => [.. Enumerable.Range(0, Nodes)],
        var ranks => [.. ranks.Split(',').Select(r => int.Parse(r, System.Globalization.CultureInfo.InvariantCulture))],
    };

    public static string WantedOf(IEnumerable<int> ranks) => string.Join(',', ranks.Order());
}
