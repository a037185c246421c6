using System.Text.Json;
using Cairn.Contracts.Ids;
using Cairn.State;

namespace Cairn.Serving.Batches;

/// <summary>What a listing asks for.</summary>
internal sealed record BatchQuery(ProjectId Project, string? After, int Limit);

/// <summary>What became of one line; kept from its answer until the batch's files are written.</summary>
/// <param name="Result">The line of the output file or the error file.</param>
internal sealed record LineResult(int Line, bool Succeeded, string Result, long InputTokens = 0, long CachedTokens = 0, long OutputTokens = 0);

/// <summary>Batches as rows.</summary>
internal static class BatchRows
{
    public const string Signal = "batches";

    private static readonly JsonSerializerOptions s_errors = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private const string Columns = """
        id, project_id, key_id, endpoint, input_file_id, metadata, output_seconds, phase, ends_as, model, total, completed, failed, input_tokens, cached_tokens, output_tokens,
        errors, output_file_id, error_file_id, created_at, in_progress_at, finalizing_at, cancelling_at, ended_at, expires_at
        """;

    public static BatchRow? Find(ReadSession session, ProjectId project, string id) =>
        session.QuerySingleOrDefault<BatchRow>($"SELECT {Columns} FROM batches WHERE id = @id AND project_id = @project", new { id, project });

    /// <summary>The newest first, and one more than asked. Ids sort by time.</summary>
    public static IReadOnlyList<BatchRow> List(ReadSession session, BatchQuery query) => session.Query<BatchRow>(
        $"SELECT {Columns} FROM batches WHERE project_id = @Project AND (@after = '' OR id < @after) ORDER BY id DESC LIMIT @limit",
        new { query.Project, after = query.After ?? "", limit = query.Limit + 1 });

    /// <summary>Those that have not ended, the oldest first.</summary>
    public static IReadOnlyList<BatchRow> Open(ReadSession session, int most) =>
        session.Query<BatchRow>($"SELECT {Columns} FROM batches WHERE ended_at IS NULL ORDER BY id LIMIT @most", new { most });

    public static long CountOpen(ReadSession session, ProjectId project) =>
        session.Scalar<long>("SELECT COUNT(*) FROM batches WHERE project_id = @project AND ended_at IS NULL", new { project });

    public static void Add(WriteSession session, BatchRow batch)
    {
        session.Execute(
            $"""
            INSERT INTO batches ({Columns}) VALUES (@Id, @ProjectId, @KeyId, @Endpoint, @InputFileId, @Metadata, @OutputSeconds, @Phase, @EndsAs, @Model, @Total, @Completed, @Failed,
                @InputTokens, @CachedTokens, @OutputTokens, @Errors, @OutputFileId, @ErrorFileId, @CreatedAt, @InProgressAt, @FinalizingAt, @CancellingAt, @EndedAt, @ExpiresAt)
            """, batch);
        session.Signal(Signal);
    }

    /// <returns>Whether it could still be cancelled.</returns>
    public static bool Cancel(WriteSession session, ProjectId project, string id)
    {
        var cancelled = session.Execute(
            "UPDATE batches SET phase = 'cancelling', cancelling_at = @Now WHERE id = @id AND project_id = @project AND phase IN ('validating', 'in_progress')",
            new { id, project, session.Now }) > 0;
        if (cancelled)
            session.Signal(Signal);
        return cancelled;
    }

    /// <summary>Its input is good: lines may run. One that was cancelled meanwhile stays so.</summary>
    public static void Begin(WriteSession session, string id, string? model, int total) => session.Execute(
        "UPDATE batches SET phase = 'in_progress', model = @model, total = @total, in_progress_at = @Now WHERE id = @id AND phase = 'validating'",
        new { id, model, total, session.Now });

    /// <summary>Its input is no good.</summary>
    public static void Fail(WriteSession session, string id, IReadOnlyList<BatchError> errors) => session.Execute(
        "UPDATE batches SET phase = 'failed', errors = @errors, ended_at = @Now WHERE id = @id AND ended_at IS NULL",
        new { id, errors = JsonSerializer.Serialize(errors, s_errors), session.Now });

    /// <summary>No further line is begun. One that is being cancelled keeps saying so.</summary>
    public static void Close(WriteSession session, string id, BatchPhase endsAs, IReadOnlyList<BatchError> errors) => session.Execute(
        """
        UPDATE batches SET phase = 'finalizing', ends_as = @endsAs, errors = @errors, finalizing_at = @Now WHERE id = @id AND phase IN ('validating', 'in_progress')
        """,
        new { id, endsAs, errors = JsonSerializer.Serialize(errors, s_errors), session.Now });

    public static void End(WriteSession session, string id, BatchPhase phase, string? outputFile, string? errorFile) => session.Execute(
        "UPDATE batches SET phase = @phase, output_file_id = @outputFile, error_file_id = @errorFile, ended_at = @Now WHERE id = @id AND ended_at IS NULL",
        new { id, phase, outputFile, errorFile, session.Now });

    /// <summary>Keeps what became of a line, once.</summary>
    public static void Keep(WriteSession session, string batch, LineResult result)
    {
        var isNew = session.Execute(
            "INSERT INTO batch_results (batch_id, line, succeeded, result) VALUES (@batch, @Line, @Succeeded, @Result) ON CONFLICT (batch_id, line) DO NOTHING",
            new { batch, result.Line, result.Succeeded, result.Result }) > 0;
        if (!isNew)
            return;
        session.Execute(
            """
            UPDATE batches SET completed = completed + @good, failed = failed + @bad, input_tokens = input_tokens + @InputTokens, cached_tokens = cached_tokens + @CachedTokens,
                output_tokens = output_tokens + @OutputTokens
            WHERE id = @batch
            """,
            new { batch, good = result.Succeeded ? 1 : 0, bad = result.Succeeded ? 0 : 1, result.InputTokens, result.CachedTokens, result.OutputTokens });
    }

    public static IReadOnlyList<int> Finished(ReadSession session, string batch) => session.Query<int>("SELECT line FROM batch_results WHERE batch_id = @batch", new { batch });

    public static IReadOnlyList<(int Line, bool Succeeded, string Result)> Results(ReadSession session, string batch, int after, int most) =>
        session.Query<(int, bool, string)>(
            "SELECT line, succeeded, result FROM batch_results WHERE batch_id = @batch AND line > @after ORDER BY line LIMIT @most", new { batch, after, most });

    /// <summary>Takes away some results whose files are written; says how many.</summary>
    public static int ForgetResults(WriteSession session, int most) => session.Execute(
        """
        DELETE FROM batch_results WHERE (batch_id, line) IN (
            SELECT r.batch_id, r.line FROM batch_results r JOIN batches b ON b.id = r.batch_id WHERE b.ended_at IS NOT NULL LIMIT @most)
        """, new { most });

    public static void ForgetOld(WriteSession session, DateTimeOffset before) => session.Execute(
        "DELETE FROM batches WHERE ended_at < @before AND NOT EXISTS (SELECT 1 FROM batch_results r WHERE r.batch_id = batches.id)", new { before });
}
