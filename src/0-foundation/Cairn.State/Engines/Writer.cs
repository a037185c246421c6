using System.Diagnostics;
using System.Threading.Channels;

namespace Cairn.State.Engines;

/// <summary>
/// One thread with one connection that writes. Works that wait together are committed together:
/// (1) takes what waits, up to the batch size; (2) begins a transaction; (3) runs each work within a savepoint, so that one that throws is
/// undone alone; (4) announces signals and commits; (5) runs what was to run after the commit, then lets each caller go on.
/// A batch that conflicts with another server's is run again from (2); a batch whose transaction is lost fails as a whole.
/// </summary>
internal sealed class Writer
{
    private readonly Engine _engine;
    private readonly ChannelReader<Work> _queue;
    private readonly WriterSettings _settings;
    private readonly int _batchSize;
    private readonly Thread _thread;
    private readonly List<Work> _batch = [];
    private Link? _link;

    public Writer(Engine engine, ChannelReader<Work> queue, WriterSettings settings)
    {
        (_engine, _queue, _settings) = (engine, queue, settings);
        _batchSize = Math.Min(settings.BatchSize, engine.LargestBatch);
        _thread = new Thread(Loop) { IsBackground = true, Name = "cairn-state-writer" };
        _thread.Start();
    }

    /// <summary>Waits until the closed queue is empty and the thread has ended.</summary>
    public void Join() => _thread.Join();

    private void Loop()
    {
        while (TakeBatch())
        {
            RunBatch();
            StateMetrics.Batch(_engine.SystemName, _batch.Count);
        }
        _link?.Dispose();
    }

    // (1)
    private bool TakeBatch()
    {
        _batch.Clear();
        while (_batch.Count == 0)
        {
            while (_batch.Count < _batchSize && _queue.TryRead(out var work))
            {
                if (work.CancellationToken.IsCancellationRequested)
                    work.Cancel();
                else
                    _batch.Add(work);
            }
            if (_batch.Count == 0 && !_queue.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
                return false;
        }
        return true;
    }

    private void RunBatch()
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                var outcomes = Attempt(attempt);
                Finish(outcomes);
                return;
            }
            catch (StoreException error) when (error.Fault == StoreFault.Conflict && attempt < _settings.ConflictRetries)
            {
                StateMetrics.Conflict(_engine.SystemName);
                Recover();
            }
            catch (Exception error)
            {
                Recover();
                foreach (var work in _batch)
                    work.Fail(error);
                return;
            }
        }
    }

    private Outcome[] Attempt(int attempt)
    {
        _link ??= new Link(_engine, _engine.Connect(forWriting: true));
        var link = _link;
        var outcomes = new Outcome[_batch.Count];
        if (attempt > 0)
            _engine.RunAgain(link, attempt, () => Transact(link, outcomes));
        else
            Transact(link, outcomes);
        return outcomes;
    }

    // (2) to (4)
    private void Transact(Link link, Outcome[] outcomes)
    {
        link.Control(_engine.BeginWrite);
        var alone = _batch.Count == 1;
        for (var i = 0; i < outcomes.Length; i++)
        {
            if (!alone && (i == 0 || outcomes[i - 1].Error is null))
                link.Control(i == 0 ? "SAVEPOINT work" : "RELEASE SAVEPOINT work; SAVEPOINT work");
            outcomes[i] = RunOne(link, _batch[i]);
            if (outcomes[i].Error is null)
                continue;
            // The savepoint stays, for the next work.
            link.Control(alone ? "ROLLBACK" : "ROLLBACK TO SAVEPOINT work");
            if (alone)
                return;
        }
        var signals = outcomes.Where(o => o.Error is null).SelectMany(o => o.Session.Signals).Distinct().ToList();
        if (signals.Count > 0)
            _engine.Announce(link, signals);
        link.Control("COMMIT");
    }

    private Outcome RunOne(Link link, Work work)
    {
        var session = new WriteSession(link, Micros.Of(_settings.Time.GetUtcNow()));
        link.Failure = null;
        Exception? error = null;
        try
        {
            work.Run(session);
            // PostgreSQL refuses all that follows a failed statement; a work that caught the error must not pass on SQLite either.
            error = link.Failure;
        }
        catch (Exception thrown)
        {
            error = thrown;
        }
        finally
        {
            session.Close();
        }
        // A conflict dooms the whole transaction, and so does an error after which none is left: that is the batch's to settle.
        if (link.Failure is { Fault: StoreFault.Conflict } conflict)
            throw conflict;
        if (error is not null && !link.IsInTransaction)
            throw link.Failure ?? error;
        return new Outcome(session, error);
    }

    // (5)
    private void Finish(Outcome[] outcomes)
    {
        for (var i = 0; i < outcomes.Length; i++)
        {
            var (session, error) = outcomes[i];
            if (error is null)
                error = RunAfterCommit(session);
            StateMetrics.Written(_engine.SystemName, Stopwatch.GetElapsedTime(_batch[i].EnqueuedAt), error);
            if (error is null)
                _batch[i].Complete();
            else
                _batch[i].Fail(error);
        }
    }

    private Exception? RunAfterCommit(WriteSession session)
    {
        try
        {
            foreach (var signal in session.Signals)
                _settings.Signals.Raise(signal.Name, signal.Payload);
            foreach (var action in session.AfterCommits)
                action();
            return null;
        }
        catch (Exception error)
        {
            return error;
        }
    }

    private void Recover()
    {
        if (_link is not null && !_link.TryRollback())
        {
            _link.Dispose();
            _link = null;
        }
    }

    private readonly record struct Outcome(WriteSession Session, Exception? Error);
}

internal sealed record WriterSettings(int BatchSize, int ConflictRetries, Signals Signals, TimeProvider Time);
