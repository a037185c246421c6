using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.State;

namespace Cairn.Fleet.Jobs;

/// <summary>The SQL of jobs, tasks and their events: what the reconciler writes and rebuilds its memory from.</summary>
internal static class JobRows
{
    private const string InsertJob =
        """
        INSERT INTO jobs (id, name, project_id, project, submitted_by, idempotency_key, request_hash, priority, nodes, spec, places,
            submitted_at,
            phase, reason, message, attempt, failures, losses, wanted, not_before, simulated, hourly, cost, event_sequence, has_files,
                has_secrets,
            has_checkpoint, accelerators, pipeline_id, step, waits_for)
        VALUES (@id, @name, @project_id, @project, @submitted_by, @idempotency_key, @request_hash, @priority, @nodes, @spec_text,
            @places_text, @submitted_at,
            @phase, @reason, @message, @attempt, @failures, @losses, @wanted, @not_before, @simulated, @hourly, @cost, @event_sequence,
                @has_files,
            @has_secrets, @has_checkpoint, @accelerators, @pipeline_id, @step, @waits_for)
        ON CONFLICT DO NOTHING
        """;

    // What a person asked for (stop_…) is written by the endpoint alone, so the reconciler's write must not undo it.
    private const string UpdateJob =
        """
        UPDATE jobs SET phase = @phase, reason = @reason, message = @message, attempt = @attempt, failures = @failures, losses = @losses,
            wanted = @wanted, not_before = @not_before, exit_code = @exit_code, provider = @provider, region = @region,
            instance_type = @instance_type, accelerators = @accelerators, simulated = @simulated, hourly = @hourly, cost = @cost,
            placed_at = @placed_at, started_at = @started_at, ended_at = @ended_at, event_sequence = @event_sequence,
            has_secrets = @has_secrets, has_checkpoint = @has_checkpoint, waits_for = @waits_for
        WHERE id = @id
        """;

    private const string InsertTask =
        """
        INSERT INTO tasks (id, job_id, attempt, rank, node_id, node, provider, region, devices, takes_accelerators, takes_cpus,
            takes_memory_bytes, takes_disk_bytes,
            state, report_sequence, price, bills_boot, granted_at, billed_micros, settled)
        VALUES (@id, @job_id, @attempt, @rank, @node_id, @node, @provider, @region, @devices, @takes_accelerators, @takes_cpus,
            @takes_memory_bytes, @takes_disk_bytes,
            @state, @report_sequence, @price, @bills_boot, @granted_at, @billed_micros, @settled)
        """;

    private const string UpdateTask =
        """
        UPDATE tasks SET state = @state, reason = @reason, message = @message, exit_code = @exit_code, signal = @signal,
            report_sequence = @report_sequence, log_bytes = @log_bytes, running_at = @running_at, ended_at = @ended_at,
            billed_micros = @billed_micros, settled = @settled
        WHERE id = @id
        """;

    private const string InsertEvent =
        "INSERT INTO job_events (job_id, sequence, at, kind, message, phase) VALUES (@job_id, @sequence, @at, @kind, @message, @phase)";

    /// <summary>False when the name or the idempotency key is taken; then nothing was written.</summary>
    public static bool TryInsert(WriteSession session, LiveJob job) => session.Execute(InsertJob, job) == 1;

    public static void Update(WriteSession session, IReadOnlyList<LiveJob> jobs) => session.ExecuteMany(UpdateJob, jobs);

    public static void UpdatePlaces(WriteSession session, IReadOnlyList<LiveJob> jobs) =>
        session.ExecuteMany("UPDATE jobs SET places = @places_text WHERE id = @id", jobs);

    public static void Insert(WriteSession session, IReadOnlyList<LiveTask> tasks) => session.ExecuteMany(InsertTask, tasks);

    public static void Update(WriteSession session, IReadOnlyList<LiveTask> tasks) => session.ExecuteMany(UpdateTask, tasks);

    public static void Insert(WriteSession session, IReadOnlyList<JobEvent> events) => session.ExecuteMany(InsertEvent, events);

    /// <summary>Every job that has not ended, oldest first, with the newest task of each of its ranks.</summary>
    public static IReadOnlyList<LiveJob> LoadLive(ReadSession session)
    {
        var jobs = session.Query<LiveJob>("SELECT * FROM jobs WHERE ended_at IS NULL ORDER BY id");
        var byId = jobs.ToDictionary(j => j.Id);
        foreach (var job in jobs)
            job.MakeRoomForRanks();
        var tasks = session.Query<LiveTask>(
            "SELECT t.* FROM jobs j JOIN tasks t ON t.job_id = j.id WHERE j.ended_at IS NULL ORDER BY t.job_id, t.attempt");
        foreach (var task in tasks)
        {
            task.Job = byId[task.JobId];
            task.Job.Ranks[task.Rank] = task;
        }
        return jobs;
    }

    public static LiveJob? Find(ReadSession session, JobId id) =>
        session.QuerySingleOrDefault<LiveJob>("SELECT * FROM jobs WHERE id = @id", new { id });

    /// <summary>Every task of a job, in the order of attempts and ranks.</summary>
    public static IReadOnlyList<LiveTask> Tasks(ReadSession session, JobId job) =>
        session.Query<LiveTask>("SELECT * FROM tasks WHERE job_id = @job ORDER BY attempt, rank", new { job });

    public static IReadOnlyList<JobEvent> Events(ReadSession session, JobId job, long after) => session.Query<JobEvent>(
        "SELECT * FROM job_events WHERE job_id = @job AND sequence > @after ORDER BY sequence", new { job, after });
}

/// <summary>One entry of a job's timeline.</summary>
internal sealed record JobEvent(JobId JobId, long Sequence, long At, string Kind, string Message, JobPhase Phase);
