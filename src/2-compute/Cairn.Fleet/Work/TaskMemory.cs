using Cairn.Contracts.Ids;
using Cairn.Fleet.Jobs;
using Cairn.State;

namespace Cairn.Fleet.Work;

/// <summary>Finds a task wherever it is known: among the live, the recently ended, or in rows.</summary>
internal sealed class TaskMemory(JobBoard board, Store store)
{
    public ValueTask<LiveTask?> FindAsync(TaskId id, CancellationToken cancellationToken) =>
        board.TryGetTask(id, out var task) || board.TryGetEnded(id, out task) ? new(task) : new(ReadAsync(id, cancellationToken));

    private Task<LiveTask?> ReadAsync(TaskId id, CancellationToken cancellationToken) => store.ReadAsync(
        session =>
        {
            var task = session.QuerySingleOrDefault<LiveTask>("SELECT * FROM tasks WHERE id = @id", new { id });
            if (task is not null)
                task.Job = JobRows.Find(session, task.JobId)!;
            return task;
        }, cancellationToken);
}
