using Cairn.Contracts.Ids;
using Cairn.State;

namespace Cairn.Serving.Files;

/// <summary>What a listing asks for.</summary>
/// <param name="After">The id that the page begins behind; null for the first page.</param>
internal sealed record FileQuery(ProjectId Project, string? Purpose, string? After, bool Ascending, int Limit);

/// <summary>Files as rows.</summary>
internal static class FileRows
{
    public const string Signal = "files";

    private const string Columns = "id, project_id, key_id, purpose, name, bytes, hash, phase, created_at, expires_at";
    private const string Seen = "phase = 'ready' AND (expires_at IS NULL OR expires_at > @now)";

    public static FileRow? Find(ReadSession session, ProjectId project, string id, DateTimeOffset now) => session.QuerySingleOrDefault<FileRow>(
        $"SELECT {Columns} FROM client_files WHERE id = @id AND project_id = @project AND {Seen}", new { id, project, now });

    /// <summary>One more than asked, so that the caller knows whether there are more. Ids sort by time.</summary>
    public static IReadOnlyList<FileRow> List(ReadSession session, FileQuery query, DateTimeOffset now)
    {
        var (order, beyond) = query.Ascending ? ("ASC", ">") : ("DESC", "<");
        return session.Query<FileRow>(
            $"""
            SELECT {Columns} FROM client_files
            WHERE project_id = @Project AND (@purpose = '' OR purpose = @purpose) AND (@after = '' OR id {beyond} @after) AND {Seen}
            ORDER BY id {order} LIMIT @limit
            """,
            new { query.Project, purpose = query.Purpose ?? "", after = query.After ?? "", limit = query.Limit + 1, now });
    }

    /// <summary>What a project keeps, and what is on its way.</summary>
    public static (long Count, long Bytes) Kept(ReadSession session, ProjectId project) => session.QuerySingleOrDefault<(long, long)>(
        "SELECT COUNT(*), CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM client_files WHERE project_id = @project AND phase <> 'leaving'", new { project });

    public static void Add(WriteSession session, FileRow file) => session.Execute(
        $"INSERT INTO client_files ({Columns}) VALUES (@Id, @ProjectId, @KeyId, @Purpose, @Name, @Bytes, @Hash, @Phase, @CreatedAt, @ExpiresAt)", file);

    /// <returns>Whether it was on its way.</returns>
    public static bool MarkReady(WriteSession session, string id) =>
        session.Execute("UPDATE client_files SET phase = 'ready' WHERE id = @id AND phase = 'writing'", new { id }) > 0;

    /// <returns>Whether there was one to be seen.</returns>
    public static bool Leave(WriteSession session, ProjectId project, string id, DateTimeOffset now)
    {
        var left = session.Execute($"UPDATE client_files SET phase = 'leaving' WHERE id = @id AND project_id = @project AND {Seen}", new { id, project, now }) > 0;
        if (left)
            session.Signal(Signal);
        return left;
    }

    /// <summary>Files that are over, and those whose writer died.</summary>
    public static void LeaveOld(WriteSession session, DateTimeOffset now, DateTimeOffset abandoned) => session.Execute(
        "UPDATE client_files SET phase = 'leaving' WHERE (phase = 'ready' AND expires_at <= @now) OR (phase = 'writing' AND created_at < @abandoned)", new { now, abandoned });

    public static IReadOnlyList<FileRow> Leaving(ReadSession session, int most) =>
        session.Query<FileRow>($"SELECT {Columns} FROM client_files WHERE phase = 'leaving' ORDER BY id LIMIT @most", new { most });

    public static void Remove(WriteSession session, string id) => session.Execute("DELETE FROM client_files WHERE id = @id AND phase = 'leaving'", new { id });
}
