using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.State;
using Cairn.State.Rows;

namespace Cairn.Fleet.Outputs;

/// <summary>An output or a checkpoint that one rank left behind; a newer attempt's replaces it.</summary>
internal sealed record OutputRow(
    JobId JobId, bool Checkpoint, string Name, int Rank, int Attempt, int Files, long SizeBytes, JsonText<ApiManifest> Manifest, long At);

internal static class OutputRows
{
    public static void Upsert(WriteSession session, IReadOnlyList<OutputRow> rows)
    {
        if (rows.Count == 0)
            return;
        session.ExecuteMany(
            """
            INSERT INTO job_outputs (job_id, checkpoint, name, rank, attempt, files, size_bytes, manifest, at)
            VALUES (@job_id, @checkpoint, @name, @rank, @attempt, @files, @size_bytes, @manifest, @at)
            ON CONFLICT (job_id, checkpoint, name, rank) DO UPDATE SET
                attempt = excluded.attempt, files = excluded.files, size_bytes = excluded.size_bytes, manifest = excluded.manifest,
                    at = excluded.at
            WHERE excluded.attempt >= job_outputs.attempt
            """, rows);
    }

    public static IReadOnlyList<OutputRow> Of(ReadSession session, JobId job, bool checkpoint) => session.Query<OutputRow>(
        "SELECT * FROM job_outputs WHERE job_id = @job AND checkpoint = @checkpoint ORDER BY name, rank", new { job, checkpoint });
}
