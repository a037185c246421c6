using Cairn.Contracts.Ids;
using Cairn.Fleet.Jobs;
using Cairn.Fleet.Leasing;

namespace Cairn.Fleet.Limits;

/// <summary>
/// When each job with limits must be looked at next. A change of its leases only makes it be looked at again; nothing is polled.
/// </summary>
internal sealed class LimitWatch(JobBoard board)
{
    private readonly PriorityQueue<JobId, long> _due = new();
    private readonly Dictionary<JobId, long> _planned = [];
    private readonly HashSet<LiveJob> _changed = [];

    /// <summary>The job's leases or its running have changed.</summary>
    public void Watch(LiveJob job)
    {
        var money = job.Workload.Money;
        if (money.Budget is not null || money.DeadlineSeconds is not null || money.MaxDurationSeconds is not null)
            _changed.Add(job);
    }

    /// <summary>The jobs that a limit stops now.</summary>
    public IReadOnlyList<(LiveJob Job, LimitBreach Breach)> Due(long nowMicros)
    {
        foreach (var job in _changed)
            Plan(job, nowMicros);
        _changed.Clear();

        List<(LiveJob, LimitBreach)>? breaches = null;
        while (_due.TryPeek(out var id, out var at) && at <= nowMicros)
        {
            _due.Dequeue();
            if (_planned.GetValueOrDefault(id, LimitDecision.Never) != at)
                continue;
            _planned.Remove(id);
            if (board.Find(id) is not { StopReason: null } job)
                continue;
            if (LimitDecision.Decide(job.Workload.Money, FactsOf(job, nowMicros)) is { } breach)
                (breaches ??= []).Add((job, breach));
            else
                Plan(job, nowMicros);
        }
        return breaches ?? [];
    }

    /// <summary>The next moment at which something may be due; <see cref="LimitDecision.Never"/> without any.</summary>
    public long NextAt => _changed.Count > 0 ? 0 : _due.TryPeek(out _, out var at) ? at : LimitDecision.Never;

    public void Clear()
    {
        _due.Clear();
        _planned.Clear();
        _changed.Clear();
    }

    private void Plan(LiveJob job, long nowMicros)
    {
        var next = job.HasEnded || job.StopReason is not null
            ? LimitDecision.Never
            : LimitDecision.NextCheck(job.Workload.Money, FactsOf(job, nowMicros));
        if (next == LimitDecision.Never)
        {
            _planned.Remove(job.Id);
            return;
        }
        _planned[job.Id] = next;
        _due.Enqueue(job.Id, next);
    }

    private static LimitFacts FactsOf(LiveJob job, long nowMicros) => new(
        nowMicros, job.SubmittedAt, job.StartedAt, LeaseSettlement.CostUpTo(job, nowMicros), LeaseSettlement.HourlyOf(job),
        job.Workload.StopGraceSeconds * 1_000_000L);
}
