using Cairn.Contracts.Ids;
using Cairn.State;

namespace Cairn.Fleet.Outputs;

/// <summary>What left the nodes of a job: its outputs and checkpoints, as they were collected. For those who charge for it.</summary>
/// <param name="Lease">Of the task that it left.</param>
/// <param name="Node">Where it was.</param>
/// <param name="NodeName">That node's name then.</param>
/// <param name="Provider">Who earns the egress.</param>
/// <param name="Region">Where the node stands.</param>
/// <param name="Project">Who pays.</param>
/// <param name="Bytes">All of it.</param>
public sealed record DataLeft(LeaseId Lease, NodeId Node, string NodeName, string Provider, string Region, ProjectId Project, long Bytes)
{
    /// <summary>One row per task that left something.</summary>
    public static IReadOnlyList<DataLeft> Of(ReadSession session, JobId job)
    {
        ArgumentNullException.ThrowIfNull(session);
        return session.Query<DataLeft>(
            """
            SELECT t.id AS lease, t.node_id AS node, t.node AS node_name, t.provider, t.region, j.project_id AS project,
                CAST(SUM(o.size_bytes) AS BIGINT) AS bytes
            FROM job_outputs o
            JOIN tasks t ON t.job_id = o.job_id AND t.attempt = o.attempt AND t.rank = o.rank
            JOIN jobs j ON j.id = o.job_id
            WHERE o.job_id = @job
            GROUP BY t.id, t.node_id, t.node, t.provider, t.region, j.project_id
            """,
            new { job });
    }
}
