using Cairn.Contracts.Jobs;
using Cairn.Contracts.Units;
using Cairn.Serving.Autoscaling;
using Cairn.Serving.Rollouts;

namespace Cairn.Serving.Endpoints;

/// <summary>
/// Decides one endpoint's next state, pure: (1) replicas' phases follow their jobs and probes; (2) failed starts are counted; (3) the
/// load says how many are wanted; (4) the rollout says which begin and end.
/// </summary>
internal static class EndpointTurn
{
    /// <summary>How long a new replica waits for room before an old one makes some.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    public static EndpointChanges Decide(
        EndpointSeen seen, LoadHistory load, ScalingMemory memory, RolloutOptions options, Func<Guid> newId, DateTimeOffset now)
    {
        var (row, changed, events) = (seen.Row, new Dictionary<Guid, ReplicaRow>(), new List<(string, string)>());

        // (1), (2)
        foreach (var replica in seen.Replicas)
        {
            var next = Follow(replica, now);
            if (next == replica.Row)
                continue;
            changed[next.Id] = next;
            if (next.Phase == ReplicaPhase.Ready && replica.Row.Phase == ReplicaPhase.Starting)
            {
                row = row with { FailedStarts = 0, FailedAt = null };
                var took = (now - next.MadeAt).TotalSeconds;
                events.Add(("replica_ready",
                    $"A replica of revision {next.Revision} is ready on {replica.Task?.Node}, {took:0.0} s after it was wanted."));
            }
            else if (next.Phase == ReplicaPhase.Stopping)
            {
                row = row with { FailedStarts = row.FailedStarts + 1, FailedAt = now };
                events.Add(("replica_failed",
                    $"A replica of revision {next.Revision} was stopped: {next.Message} `cairn logs {next.JobId}` tells more."));
            }
            else if (next.Phase == ReplicaPhase.Ended && replica.Row.Phase == ReplicaPhase.Starting)
            {
                row = row with { FailedStarts = row.FailedStarts + 1, FailedAt = now };
                events.Add(("replica_failed",
                    $"A replica of revision {next.Revision} ended before it was ready: {next.Message} `cairn logs {next.JobId}` tells more."));
            }
            else if (next.Phase == ReplicaPhase.Ended && replica.Row.Phase is ReplicaPhase.Ready)
            {
                events.Add(("replica_lost", $"A replica of revision {next.Revision} was lost: {next.Message}"));
            }
        }
        var replicas = seen.Replicas.Select(r => changed.GetValueOrDefault(r.Row.Id) ?? r.Row).ToList();
        var facts = Facts(seen, row, replicas);

        // (3)
        ScalingDecision? scaling = null;
        if (!facts.Stopping)
        {
            var counts = new ReplicaCounts(row.Wanted, replicas.Count(r => r.Phase == ReplicaPhase.Ready));
            scaling = Autoscaler.Decide(row.Scaling.Value, load, counts, memory, PriceOf(seen), now);
            if (scaling.Wanted != row.Wanted)
                events.Add(("scaled", $"From {row.Wanted} to {scaling.Wanted}: {scaling.Message}"));
            row = row with { Wanted = scaling.Wanted };
            facts = facts with { Wanted = scaling.Wanted };
        }

        // (4)
        var (begun, wentBack) = (new List<ReplicaRow>(), false);
        foreach (var step in RolloutDecision.Decide(facts, options, now))
        {
            switch (step)
            {
                case RolloutStep.Start start:
                    var staying = replicas.Concat(begun).Count(r =>
                        r.OnDemand && r.Revision == start.Revision && r.Phase is ReplicaPhase.Starting or ReplicaPhase.Ready);
                    begun.Add(new ReplicaRow
                    {
                        Id = newId(),
                        EndpointId = row.Id,
                        Revision = start.Revision,
                        Phase = ReplicaPhase.Starting,
                        Since = now,
                        MadeAt = now,
                        OnDemand = seen.Splits.GetValueOrDefault(start.Revision).IsNextOnDemand(row.Wanted, staying),
                    });
                    break;
                case RolloutStep.Drain drain:
                    Change(drain.Replica, ReplicaPhase.Draining);
                    break;
                case RolloutStep.Stop stop:
                    Change(stop.Replica, ReplicaPhase.Stopping);
                    break;
                case RolloutStep.GoBack back:
                    wentBack = true;
                    row = GoBack(row, back);
                    events.Add(("rolled_back", $"Revision {back.From} was taken back: {back.Why}."));
                    break;
            }
        }
        var ended = facts.Stopping && replicas.All(r => r.Phase == ReplicaPhase.Ended);
        if (ended)
            events.Add(("stopped", "The endpoint has ended."));
        return new EndpointChanges(row, [.. changed.Values], begun, events, scaling, wentBack, ended);

        void Change(Guid id, ReplicaPhase phase)
        {
            var was = changed.GetValueOrDefault(id) ?? replicas.First(r => r.Id == id);
            if (was.Phase != phase)
                changed[id] = was with { Phase = phase, Since = now };
        }
    }

    /// <summary>Facts for a decision and for the weights of a snapshot.</summary>
    public static RolloutFacts Facts(EndpointSeen seen, EndpointRow row, IReadOnlyList<ReplicaRow> replicas) => new()
    {
        Wanted = row.Wanted,
        Revision = row.Revision,
        Previous = row.Previous,
        Canary = row.Canary,
        CanaryPercent = row.CanaryPercent,
        StableHealth = seen.StableHealth,
        CanaryHealth = seen.CanaryHealth,
        FailedStarts = row.FailedStarts,
        LastFailure = row.FailedAt,
        Stopping = row.Phase == EndpointPhase.Stopping,
        NoRoom = seen.Replicas.Any(r => r.Row.Phase == ReplicaPhase.Starting && r.WaitsForRoom && seen.Now - r.Row.MadeAt > s_patience),
        Replicas =
        [
            .. replicas.Where(r => r.Phase != ReplicaPhase.Ended).Select(r =>
                new ReplicaFact(r.Id, r.Revision, r.Phase, r.Since, seen.Replicas.First(s => s.Row.Id == r.Id).InFlight, r.OnDemand)),
        ],
        Splits = seen.Splits,
    };

    private static ReplicaRow Follow(ReplicaSeen seen, DateTimeOffset now)
    {
        var row = seen.Row;
        if (row.JobId is null)
            return row.Phase == ReplicaPhase.Stopping ? End("It was not needed any more.") : row;
        if (seen.End is { } why)
            return End(why);
        if (!seen.Known)
            return row;
        var task = seen.Task?.Task;
        // A job that recovered on another machine is a new program that loads anew.
        if (row.Phase == ReplicaPhase.Ready && task != row.TaskId)
            return row with { Phase = ReplicaPhase.Starting, Since = now, TaskId = task, ReadyAt = null };
        if (task != row.TaskId)
            row = row with { TaskId = task };
        if (row.Phase == ReplicaPhase.Starting && seen.Task?.State == TaskState.Running && seen.Probe is { Ready: true })
            return row with { Phase = ReplicaPhase.Ready, Since = now, ReadyAt = now, Message = null };
        if (row.Phase == ReplicaPhase.Starting && seen is { Probe: { Ready: false } late, StartWithin: { } most } && late.Probed >= most)
        {
            return row with
            {
                Phase = ReplicaPhase.Stopping,
                Since = now,
                Message = $"it was not ready {most.TotalSeconds:0} s after its program began: {late.Message}.",
            };
        }
        return row;

        ReplicaRow End(string message) => row with { Phase = ReplicaPhase.Ended, Since = now, EndedAt = now, Message = message };
    }

    private static EndpointRow GoBack(EndpointRow row, RolloutStep.GoBack back) => back.From == row.Canary
        ? row with { Canary = null, CanaryPercent = 0, FailedStarts = 0, FailedAt = null }
        : row with { Revision = row.Previous!.Value, Previous = null, FailedStarts = 0, FailedAt = null };

    private static HourlyPrice PriceOf(EndpointSeen seen)
    {
        var prices = seen.Replicas.Where(r => r.Task is not null).Select(r => r.Task!.Price.MicrosPerHour).ToList();
        return prices.Count == 0 ? HourlyPrice.Free : new HourlyPrice(prices.Max());
    }
}
