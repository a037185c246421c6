using Cairn.Contracts.Jobs;
using Cairn.Fleet.Jobs;
using Cairn.State.Rows;

namespace Cairn.Fleet.Placement;

/// <summary>
/// Plans waiting jobs anew when other kinds of nodes are enrolled than before, so that what joins is used by those who wait. A job that
/// would
/// have nowhere to run any more keeps the places it had: their nodes may come back.
/// </summary>
internal sealed class WaitingReplans(JobBoard board, PlacementQueue queue, PlacePlans plans)
{
    private long _generation = -1;

    public void Run(Turn turn)
    {
        var generation = plans.Generation;
        if (generation == _generation)
            return;
        _generation = generation;
        foreach (var job in board.Jobs)
        {
            if (job.Wanted is not null && job.Phase != JobPhase.Stopping && Refresh(turn, job))
                queue.Requeue(job);
        }
    }

    /// <summary>Plans a job anew that is about to wait again: while it ran, nodes may have joined, left or come back into service.</summary>
    /// <returns>Whether its places are others now.</returns>
    public bool Refresh(Turn turn, LiveJob job)
    {
        var choice = plans.Of(job.SpecText, job.Workload);
        if (choice.Places.Count == 0 || choice.Text == job.PlacesText)
            return false;
        job.Places = new JsonText<IReadOnlyList<Place>>(choice.Places);
        job.PlacesText = choice.Text;
        turn.Replan(job);
        return true;
    }
}
