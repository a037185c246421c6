using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Serving.Autoscaling;
using Cairn.State;
using Cairn.State.Rows;

namespace Cairn.Serving.Endpoints;

internal enum EndpointPhase
{
    Active,

    /// <summary>Its replicas finish what they have.</summary>
    Stopping,
    Stopped,
}

/// <summary>What a person sets beside the workload and may change without a rollout.</summary>
internal sealed record EndpointSettings
{
    public decimal InputPrice { get; init; }

    public decimal OutputPrice { get; init; }

    public int ContextLength { get; init; }

    public int ReplicaConcurrency { get; init; }

    public IReadOnlyList<string> Fallbacks { get; init; } = [];
}

internal sealed record EndpointRow
{
    public EndpointId Id { get; init; }

    public ProjectId ProjectId { get; init; }

    public string Project { get; init; } = "";

    public string Name { get; init; } = "";

    /// <summary>Null where it serves no model.</summary>
    public string? Model { get; init; }

    public EndpointPhase Phase { get; init; }

    public int Revision { get; init; }

    public int? Previous { get; init; }

    public int? Canary { get; init; }

    public int CanaryPercent { get; init; }

    public int Wanted { get; init; }

    public int FailedStarts { get; init; }

    public DateTimeOffset? FailedAt { get; init; }

    public required JsonText<ScalingSpec> Scaling { get; init; }

    public required JsonText<EndpointSettings> Settings { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public string CreatedBy { get; init; } = "";

    public KeyId CreatedKey { get; init; }

    public DateTimeOffset? EndedAt { get; init; }
}

internal sealed record RevisionRow
{
    public EndpointId EndpointId { get; init; }

    public int Number { get; init; }

    public required JsonText<ServeRequest> Request { get; init; }

    public string? Sealed { get; init; }

    public DateTimeOffset MadeAt { get; init; }
}

/// <summary>The SQL of endpoints.</summary>
internal static class EndpointRows
{
    /// <summary>Wakes the reconciler.</summary>
    public const string Signal = "endpoints";

    private const string EndpointColumns =
        """
        id, project_id, project, name, model, phase, revision, previous, canary, canary_percent, wanted, failed_starts, failed_at, scaling, settings, created_at,
        created_by, created_key, ended_at
        """;


    public static IReadOnlyList<EndpointRow> Live(ReadSession session) =>
        session.Query<EndpointRow>($"SELECT {EndpointColumns} FROM endpoints WHERE ended_at IS NULL ORDER BY id");

    public static IReadOnlyList<EndpointRow> LiveOf(ReadSession session, ProjectId project) =>
        session.Query<EndpointRow>($"SELECT {EndpointColumns} FROM endpoints WHERE ended_at IS NULL AND project_id = @project ORDER BY name", new { project });

    public static IReadOnlyList<ReplicaRow> LiveReplicas(ReadSession session) =>
        session.Query<ReplicaRow>(
            """
            SELECT id, endpoint_id, revision, job_id, task_id, phase, on_demand <> 0 AS on_demand, since, made_at, ready_at, ended_at, message
            FROM replicas WHERE ended_at IS NULL ORDER BY made_at, id
            """);

    public static EndpointRow? Find(ReadSession session, ProjectId project, string name) => session.QuerySingleOrDefault<EndpointRow>(
        $"SELECT {EndpointColumns} FROM endpoints WHERE project_id = @project AND ended_at IS NULL AND (name = @name OR id = @name)", new { project, name });

    public static EndpointRow? Find(ReadSession session, EndpointId id) =>
        session.QuerySingleOrDefault<EndpointRow>($"SELECT {EndpointColumns} FROM endpoints WHERE id = @id", new { id });

    public static RevisionRow? Revision(ReadSession session, EndpointId endpoint, int number) => session.QuerySingleOrDefault<RevisionRow>(
        "SELECT endpoint_id, number, request, sealed, made_at FROM endpoint_revisions WHERE endpoint_id = @endpoint AND number = @number", new { endpoint, number });

    public static int LastRevision(ReadSession session, EndpointId endpoint) =>
        session.Scalar<int>("SELECT MAX(number) FROM endpoint_revisions WHERE endpoint_id = @endpoint", new { endpoint });

    public static IReadOnlyList<EndpointEventView> Events(ReadSession session, EndpointId endpoint, int most) => session.Query<EndpointEventView>(
        "SELECT at, kind, message FROM endpoint_events WHERE endpoint_id = @endpoint ORDER BY sequence DESC LIMIT @most", new { endpoint, most });

    public static int Insert(WriteSession session, EndpointRow row) => session.Execute(
        $"""
        INSERT INTO endpoints ({EndpointColumns})
        VALUES (@Id, @ProjectId, @Project, @Name, @Model, @Phase, @Revision, @Previous, @Canary, @CanaryPercent, @Wanted, @FailedStarts, @FailedAt, @Scaling, @Settings,
            @CreatedAt, @CreatedBy, @CreatedKey, @EndedAt)
        ON CONFLICT DO NOTHING
        """, row);

    public static void Insert(WriteSession session, RevisionRow row) => session.Execute(
        "INSERT INTO endpoint_revisions (endpoint_id, number, request, sealed, made_at) VALUES (@EndpointId, @Number, @Request, @Sealed, @MadeAt)", row);

    /// <summary>The column on_demand is a number, which PostgreSQL does not take for a truth.</summary>
    public static void Insert(WriteSession session, ReplicaRow row) => session.Execute(
        """
        INSERT INTO replicas (id, endpoint_id, revision, job_id, task_id, phase, on_demand, since, made_at, ready_at, ended_at, message)
        VALUES (@Id, @EndpointId, @Revision, @JobId, @TaskId, @Phase, CASE WHEN @OnDemand THEN 1 ELSE 0 END, @Since, @MadeAt, @ReadyAt, @EndedAt, @Message)
        """, row);

    public static void Update(WriteSession session, ReplicaRow row) => session.Execute(
        """
        UPDATE replicas SET job_id = @JobId, task_id = @TaskId, phase = @Phase, since = @Since, ready_at = @ReadyAt, ended_at = @EndedAt, message = @Message
        WHERE id = @Id AND ended_at IS NULL
        """, row);

    /// <summary>What the reconciler decides; a person's changes in between (scaling, a rollout, a stop) are left as they are.</summary>
    public static void UpdateDecided(WriteSession session, EndpointRow row) => session.Execute(
        "UPDATE endpoints SET wanted = @Wanted, failed_starts = @FailedStarts, failed_at = @FailedAt WHERE id = @Id AND ended_at IS NULL", row);

    public static int UpdateRollout(WriteSession session, EndpointRow row, int wasRevision, int? wasCanary) => session.Execute(
        """
        UPDATE endpoints SET revision = @Revision, previous = @Previous, canary = @Canary, canary_percent = @CanaryPercent, failed_starts = 0, failed_at = NULL
        WHERE id = @Id AND ended_at IS NULL AND revision = @wasRevision AND COALESCE(canary, 0) = @canaryWas
        """,
        new { row.Id, row.Revision, row.Previous, row.Canary, row.CanaryPercent, wasRevision, canaryWas = wasCanary ?? 0 });

    public static void SetScaling(WriteSession session, EndpointId id, JsonText<ScalingSpec> scaling) =>
        session.Execute("UPDATE endpoints SET scaling = @scaling WHERE id = @id AND ended_at IS NULL", new { id, scaling });

    public static void SetPhase(WriteSession session, EndpointId id, EndpointPhase phase, DateTimeOffset? endedAt)
    {
        session.Execute("UPDATE endpoints SET phase = @phase, ended_at = @endedAt WHERE id = @id AND ended_at IS NULL", new { id, phase, endedAt });
        if (endedAt is not null)
            HostRows.Replace(session, id, []);
    }

    public static void Tell(WriteSession session, EndpointId endpoint, string kind, string message) => session.Execute(
        """
        INSERT INTO endpoint_events (endpoint_id, sequence, at, kind, message)
        SELECT @endpoint, COALESCE(MAX(sequence), 0) + 1, @at, @kind, @message FROM endpoint_events WHERE endpoint_id = @endpoint
        """,
        new { endpoint, at = session.NowMicros, kind, message });
}
