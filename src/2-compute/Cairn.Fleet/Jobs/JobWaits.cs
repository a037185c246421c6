using System.Runtime.CompilerServices;
using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.State;

namespace Cairn.Fleet.Jobs;

/// <summary>Waits for jobs to change. Nothing is polled: a wait sleeps until a change of its job is durable.</summary>
internal sealed class JobWaits(Store store, JobChanges changes, TimeProvider time)
{
    /// <summary>The job once it is in one of the phases, or as it is when the time is up.</summary>
    public async Task<JobView> WaitAsync(JobId job, IReadOnlyList<string> phases, TimeSpan longest, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(longest, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        while (true)
        {
            var changed = changes.Next(job);
            var view = await store.ReadAsync(session => JobReading.Of(JobRows.Find(session, job)!), cancellationToken);
            if (phases.Contains(EnumWords.Of(view.Phase)) || HasEnded(view.Phase) || timer.IsCancellationRequested)
                return view;
            await changed.WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>The job's events after a number, those to come included, until it has ended.</summary>
    public async IAsyncEnumerable<JobEventView> EventsAsync(JobId job, long after,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = changes.Next(job);
            var events = await store.ReadAsync(session => JobRows.Events(session, job, after), cancellationToken);
            foreach (var entry in events)
            {
                after = entry.Sequence;
                yield return JobReading.Of(entry);
                if (HasEnded(entry.Phase))
                    yield break;
            }
            if (events.Count == 0 && await store.ReadAsync(session => JobRows.Find(session, job)!.HasEnded, cancellationToken))
                yield break;
            await changed.WaitAsync(cancellationToken);
        }
    }

    private static bool HasEnded(JobPhase phase) => phase is JobPhase.Succeeded or JobPhase.Failed or JobPhase.Stopped;
}
