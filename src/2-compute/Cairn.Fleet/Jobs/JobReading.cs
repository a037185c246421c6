using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Units;
using Cairn.Fleet.Outputs;
using Cairn.State;

namespace Cairn.Fleet.Jobs;

/// <summary>Jobs as the API shows them, from rows.</summary>
internal static class JobReading
{
    private const string ListColumns =
        """
        id, name, project, phase, reason, message, nodes, provider, region, instance_type, accelerators, simulated, attempt, exit_code,
        submitted_at, placed_at, started_at, ended_at, cost, hourly, submitted_by
        """;

    private static readonly HashSet<string> s_live = ["queued", "starting", "running", "recovering", "stopping"];

    /// <summary>Newest first.</summary>
    public static Page<JobView> List(ReadSession session, ProjectId project, JobFilter filter)
    {
        var rows = session.Query<JobListRow>(
            $"""
            SELECT {ListColumns} FROM jobs
            WHERE project_id = @project AND id < @before AND submitted_at >= @since AND name >= @name AND name < @name_end
                {(filter.Phases.Count > 0 ? "AND phase IN @phases" : "")}
            ORDER BY id DESC LIMIT @limit
            """,
            new
            {
                project, before = filter.Cursor ?? "g", since = filter.SinceMicros, name = filter.NamePrefix,
                    name_end = filter.NamePrefix + "\uffff",
                phases = filter.Phases, limit = filter.Limit + 1,
            });
        var page = rows.Take(filter.Limit).Select(r => r.ToView()).ToList();
        return new Page<JobView>(page, rows.Count > filter.Limit ? page[^1].Id.ToString() : null);
    }

    /// <summary>One job with everything about it; null where there is none.</summary>
    public static JobView? Whole(ReadSession session, JobId id)
    {
        if (JobRows.Find(session, id) is not { } job)
            return null;
        var events = JobRows.Events(session, id, after: 0);
        return Of(job) with
        {
            Attempts = Attempts(JobRows.Tasks(session, id)),
            Timeline = [.. events.Select(Of)],
            Outputs = [.. OutputRows.Of(session, id, checkpoint: false).GroupBy(o => o.Name)
                .Select(g => new OutputView(g.Key, g.Sum(o => o.SizeBytes), g.Sum(o => o.Files)))],
            Workload = job.Workload,
        };
    }

    public static JobView Of(LiveJob job) => new()
    {
        Id = job.Id,
        Name = job.Name,
        Project = job.Project,
        Phase = job.Phase,
        Reason = job.Reason,
        Message = job.Message,
        Nodes = job.Nodes,
        Provider = job.Provider,
        Region = job.Region,
        InstanceType = job.InstanceType,
        Accelerators = job.Accelerators,
        Simulated = job.Simulated,
        Attempt = job.Attempt,
        ExitCode = job.ExitCode,
        SubmittedAt = Micros.ToTime(job.SubmittedAt),
        PlacedAt = TimeOf(job.PlacedAt),
        StartedAt = TimeOf(job.StartedAt),
        EndedAt = TimeOf(job.EndedAt),
        Cost = job.Cost,
        Hourly = job.Hourly,
        SubmittedBy = job.SubmittedBy,
    };

    public static JobEventView Of(JobEvent entry) => new(entry.Sequence, Micros.ToTime(entry.At), entry.Kind, entry.Message, entry.Phase);

    /// <summary>The phases that a word stands for: a phase, <c>live</c> or <c>ended</c>; null where it is no such word.</summary>
    public static IReadOnlyList<string>? PhasesOf(string? words)
    {
        if (string.IsNullOrWhiteSpace(words))
            return [];
        var phases = new HashSet<string>(StringComparer.Ordinal);
        foreach (var word in words.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (word == "live")
                phases.UnionWith(s_live);
            else if (word == "ended")
                phases.UnionWith(["succeeded", "failed", "stopped"]);
            else if (s_live.Contains(word) || word is "succeeded" or "failed" or "stopped")
                phases.Add(word);
            else
                return null;
        }
        return [.. phases.Order(StringComparer.Ordinal)];
    }

    private static List<AttemptView> Attempts(IReadOnlyList<LiveTask> tasks)
    {
        var attempts = new List<AttemptView>();
        foreach (var attempt in tasks.GroupBy(t => t.Attempt))
        {
            var failed = attempt.FirstOrDefault(t =>
                t is { HasEnded: true, Succeeded: false, Reason: not (EndReasons.GangEnded or EndReasons.Stopped) })
                ?? attempt.FirstOrDefault(t => t is { HasEnded: true, Succeeded: false });
            var reason = failed?.Reason ?? (attempt.All(t => t.Succeeded) ? EndReasons.Succeeded : null);
            attempts.Add(new AttemptView(attempt.Key, reason, failed?.Message, [.. attempt.Select(Of)]));
        }
        return attempts;
    }

    private static TaskView Of(LiveTask task) => new()
    {
        Id = task.Id,
        Rank = task.Rank,
        Node = task.Node,
        State = task.State,
        Reason = task.Reason,
        Message = task.Message,
        ExitCode = task.ExitCode,
        Signal = task.Signal,
        Epoch = task.Epoch,
        StartedAt = TimeOf(task.RunningAt),
        EndedAt = TimeOf(task.EndedAt),
        BilledSeconds = task.BilledMicros / 1e6,
        Cost = task.Settled,
    };

    private static DateTimeOffset? TimeOf(long? micros) => micros is { } at ? Micros.ToTime(at) : null;
}

/// <param name="Phases">Empty for all.</param>
/// <param name="NamePrefix">Empty for all.</param>
/// <param name="SinceMicros">Submitted at or after.</param>
/// <param name="Cursor">The id of the last job of the page before.</param>
/// <param name="Limit">Of the page.</param>
internal sealed record JobFilter(IReadOnlyList<string> Phases, string NamePrefix, long SinceMicros, string? Cursor, int Limit);

/// <summary>What a listing reads of a job: all but the workload, which may be long.</summary>
internal sealed record JobListRow
{
    public JobId Id { get; init; }

    public required string Name { get; init; }

    public required string Project { get; init; }

    public JobPhase Phase { get; init; }

    public string? Reason { get; init; }

    public string? Message { get; init; }

    public int Nodes { get; init; }

    public string? Provider { get; init; }

    public string? Region { get; init; }

    public string? InstanceType { get; init; }

    public string? Accelerators { get; init; }

    public bool Simulated { get; init; }

    public int Attempt { get; init; }

    public int? ExitCode { get; init; }

    public DateTimeOffset SubmittedAt { get; init; }

    public DateTimeOffset? PlacedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public Money Cost { get; init; }

    public HourlyPrice Hourly { get; init; }

    public string? SubmittedBy { get; init; }

    public JobView ToView() => new()
    {
        Id = Id, Name = Name, Project = Project, Phase = Phase, Reason = Reason, Message = Message, Nodes = Nodes, Provider = Provider,
        Region = Region, InstanceType = InstanceType, Accelerators = Accelerators, Simulated = Simulated, Attempt = Attempt,
            ExitCode = ExitCode,
        SubmittedAt = SubmittedAt, PlacedAt = PlacedAt, StartedAt = StartedAt, EndedAt = EndedAt, Cost = Cost, Hourly = Hourly,
            SubmittedBy = SubmittedBy,
    };
}
