using Cairn.State;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Batches;

/// <summary>
/// Moves batches: (1) looks at the steps that ended; (2) loads the batches that have not ended, the oldest first; (3) decides each; (4)
/// stops a step that is no longer the one to do, and begins the one that is. Steps run beside the turns, for they last; each writes its
/// own end and wakes the next turn. A server that dies leaves rows from which another goes on.
/// </summary>
internal sealed partial class BatchReconciler(Store store, BatchSteps steps, BatchOptions options, TimeProvider time, ILogger<BatchReconciler> logger) : IAsyncDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(2);
    private const int SweptAtOnce = 1000;
    private readonly Dictionary<string, Activity> _activities = [];
    private readonly CancellationTokenSource _disposed = new();

    public async Task ReconcileAsync(Fence? fence, CancellationToken cancellationToken)
    {
        // (1)
        foreach (var (id, activity) in _activities.Where(a => a.Value.Work.IsCompleted).ToList())
        {
            _activities.Remove(id);
            using (activity)
                await activity.Work;
        }

        // (2)
        var open = await store.ReadAsync(session => BatchRows.Open(session, options.BatchesAtOnce), cancellationToken);
        var now = time.GetUtcNow();
        foreach (var batch in open)
        {
            // (3)
            var (step, endsAs) = BatchTurn.Decide(batch, now);

            // (4)
            if (!_activities.TryGetValue(batch.Id, out var busy))
                _activities[batch.Id] = Begin(batch, step, endsAs, fence, cancellationToken);
            else if (busy.Step != step)
                busy.Stop();
        }
    }

    /// <summary>Takes away results whose files are written, and batches that ended long ago.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        while (await store.WriteAsync(session => BatchRows.ForgetResults(session, SweptAtOnce), cancellationToken) == SweptAtOnce)
        {
            // The next portion is a write of its own, so that others get their turn.
        }
        var before = time.GetUtcNow() - options.KeptFor;
        await store.WriteAsync(session => BatchRows.ForgetOld(session, before), cancellationToken);
    }

    /// <summary>Ends what is under way; nothing of it is lost.</summary>
    public async ValueTask DisposeAsync()
    {
        await _disposed.CancelAsync();
        foreach (var activity in _activities.Values)
        {
            await activity.Work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            activity.Dispose();
        }
        _disposed.Dispose();
    }

    private Activity Begin(BatchRow batch, BatchStep step, BatchPhase? endsAs, Fence? fence, CancellationToken cancellationToken)
    {
        LogStep(logger, batch.Id, step);
        var activity = new Activity(step, CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposed.Token));
        activity.Work = Task.Run(() => WorkAsync(batch, endsAs, activity, fence), CancellationToken.None);
        return activity;
    }

    /// <summary>What passes by itself is waited for; what does not comes out at the next turn and stops the server.</summary>
    private async Task WorkAsync(BatchRow batch, BatchPhase? endsAs, Activity activity, Fence? fence)
    {
        try
        {
            await steps.DoAsync(batch, activity.Step, endsAs, fence, activity.Stopped, activity.Ended);
            // What does not move, such as a gateway that still knows no models, is not looked at in a circle.
            await Task.Delay(TimeSpan.FromMilliseconds(10), time, activity.Ended);
        }
        catch (OperationCanceledException) when (activity.Ended.IsCancellationRequested)
        {
            return;
        }
        catch (Exception away) when (away is StoreException { IsTransient: true } or BlobException or IOException)
        {
            LogPause(logger, away, batch.Id);
            await Task.Delay(s_pause, time, activity.Ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (Exception lost) when (lost is FenceLostException or StoreException { Fault: StoreFault.Closed })
        {
            return; // Another server has the batch now, or this one ends.
        }
        store.Signals.Raise(BatchRows.Signal);
    }

    /// <summary>A step under way.</summary>
    private sealed class Activity : IDisposable
    {
        private readonly CancellationTokenSource _ended;
        private readonly CancellationTokenSource _stopped;

        public Activity(BatchStep step, CancellationTokenSource ended) => (Step, _ended, _stopped) = (step, ended, CancellationTokenSource.CreateLinkedTokenSource(ended.Token));

        public BatchStep Step { get; }

        public Task Work { get; set; } = Task.CompletedTask;

        public CancellationToken Stopped => _stopped.Token;

        public CancellationToken Ended => _ended.Token;

        public void Stop() => _stopped.Cancel();

        public void Dispose()
        {
            _stopped.Dispose();
            _ended.Dispose();
        }
    }
}
