using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Responses;
using Cairn.State;

namespace Cairn.Serving.Responses;

/// <summary>Keeps responses in rows. A sweep takes away what has expired, and a project's oldest beyond its share.</summary>
internal sealed class ResponseRows(Store store, TimeProvider time) : IKeepsResponses
{
    /// <summary>Responses that a project keeps.</summary>
    public const int MostPerProject = 100_000;

    /// <summary>Bytes of responses that a project keeps.</summary>
    public const long MostBytesPerProject = 1L << 30;

    public const string Signal = "responses";

    public async Task<bool> KeepAsync(KeptResponse response, CancellationToken cancellationToken)
    {
        var bytes = (long)response.Response.Length + response.Items.Length;
        try
        {
            await store.WriteAsync(session => session.Execute(
                """
                INSERT INTO responses (id, project_id, created_at, expires_at, bytes, response, items) VALUES (@Id, @Project, @CreatedAt, @ExpiresAt, @bytes, @Response, @Items)
                """,
                new { response.Id, response.Project, response.CreatedAt, response.ExpiresAt, bytes, response.Response, response.Items }), cancellationToken);
            return true;
        }
        catch (StoreException)
        {
            return false;
        }
    }

    public Task<KeptResponse?> FindAsync(ProjectId project, string id, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return OrAwayAsync(store.ReadAsync(session => session.QuerySingleOrDefault<Row>(
            "SELECT id, project_id, created_at, expires_at, response, items FROM responses WHERE id = @id AND project_id = @project AND expires_at > @now",
            new { id, project, now })?.Kept, cancellationToken));
    }

    public Task<bool> ForgetAsync(ProjectId project, string id, CancellationToken cancellationToken) => OrAwayAsync(store.WriteAsync(
        session => session.Execute("DELETE FROM responses WHERE id = @id AND project_id = @project", new { id, project }) > 0, cancellationToken));

    /// <summary>Takes away what has expired and what is too much.</summary>
    public Task SweepAsync(CancellationToken cancellationToken) => SweepAsync(MostPerProject, MostBytesPerProject, cancellationToken);

    public Task SweepAsync(long most, long mostBytes, CancellationToken cancellationToken) => store.WriteAsync(session =>
    {
        session.Execute("DELETE FROM responses WHERE expires_at <= @now", new { now = time.GetUtcNow() });
        session.Execute(
            """
            DELETE FROM responses WHERE id IN (
                SELECT id FROM (
                    SELECT id, SUM(bytes) OVER newest AS total, ROW_NUMBER() OVER newest AS place FROM responses
                    WINDOW newest AS (PARTITION BY project_id ORDER BY created_at DESC, id DESC ROWS UNBOUNDED PRECEDING)) AS ranked
                WHERE total > @mostBytes OR place > @most)
            """,
            new { most, mostBytes });
    }, cancellationToken);

    private static async Task<T> OrAwayAsync<T>(Task<T> work)
    {
        try
        {
            return await work;
        }
        catch (StoreException away)
        {
            throw new KeeperAwayException("The rows of responses cannot be reached.", away);
        }
    }

    private sealed record Row
    {
        public string Id { get; init; } = "";

        public ProjectId ProjectId { get; init; }

        public DateTimeOffset CreatedAt { get; init; }

        public DateTimeOffset ExpiresAt { get; init; }

        public string Response { get; init; } = "";

        public string Items { get; init; } = "";

        public KeptResponse Kept => new(Id, ProjectId, CreatedAt, ExpiresAt, Response, Items);
    }
}
