using System.Collections.Concurrent;
using System.Diagnostics;

namespace Cairn.State.Engines;

/// <summary>Connections that only read, opened as they are needed, up to a number.</summary>
internal sealed class ReaderPool(Engine engine, int size) : IAsyncDisposable
{
    private readonly SemaphoreSlim _free = new(size, size);
    private readonly ConcurrentBag<Link> _idle = [];
    private bool _closed;

    public async Task<T> ReadAsync<T>(Func<ReadSession, T> work, CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        await _free.WaitAsync(cancellationToken);
        Exception? failure = null;
        try
        {
            // Reading blocks on the disk or the network; the caller's thread need not.
            return await Task.Run(() => Read(work), cancellationToken);
        }
        catch (Exception error)
        {
            failure = error;
            throw;
        }
        finally
        {
            _free.Release();
            StateMetrics.Read(engine.SystemName, Stopwatch.GetElapsedTime(start), failure);
        }
    }

    /// <summary>Waits for the reads under way.</summary>
    public async ValueTask DisposeAsync()
    {
        _closed = true;
        for (var i = 0; i < size; i++)
            await _free.WaitAsync();
        while (_idle.TryTake(out var link))
            link.Dispose();
        _free.Release(size);
    }

    private T Read<T>(Func<ReadSession, T> work)
    {
        if (_closed)
            throw new StoreException(StoreFault.Closed, "The store is closed.");
        if (!_idle.TryTake(out var link))
            link = new Link(engine, engine.Connect(forWriting: false));
        var session = ReadSession.Over(link);
        try
        {
            link.Control(engine.BeginRead);
            return work(session);
        }
        finally
        {
            session.Close();
            if (link.TryRollback())
                _idle.Add(link);
            else
                link.Dispose();
        }
    }
}
