namespace Cairn.State;

/// <summary>
/// A lease that is held and kept renewed. <see cref="Lost"/> fires no later than the moment another may take the lease over, judged from
/// when the last good renewal was asked for; after that this holder is done, and a new one must be acquired.
/// </summary>
public sealed class LeaseHolder : IAsyncDisposable
{
    private readonly Store _store;
    private readonly TimeSpan _time;
    private readonly CancellationTokenSource _lost;
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _renewing;

    private LeaseHolder(Store store, Fence fence, TimeSpan time, long askedAt)
    {
        (_store, Fence, _time) = (store, fence, time);
        _lost = new CancellationTokenSource(Left(askedAt), store.Time);
        Lost = _lost.Token;
        _renewing = RenewAsync(_closing.Token);
    }

    /// <summary>Proof for <see cref="WriteSession.RequireFence"/>.</summary>
    public Fence Fence { get; }

    /// <summary>Fires when the lease is lost, or may be.</summary>
    public CancellationToken Lost { get; }

    /// <summary>Takes the lease if it can be had now; null when another holds it.</summary>
    /// <param name="store">Keeps the lease.</param>
    /// <param name="name">Of the lease.</param>
    /// <param name="time">How long the lease outlives its holder; renewed each third of it.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public static async Task<LeaseHolder?> TryAcquireAsync(Store store, string name, TimeSpan time, CancellationToken cancellationToken)
    {
        var askedAt = store.Time.GetTimestamp();
        // Each acquisition is a holder of its own, so that a fence of one given up is never good again.
        var fence = await store.Leases.AcquireAsync(name, store.NewHolder(), time, cancellationToken);
        return fence is null ? null : new LeaseHolder(store, fence, time, askedAt);
    }

    /// <summary>Waits until the lease can be had.</summary>
    public static async Task<LeaseHolder> AcquireAsync(Store store, string name, TimeSpan time, CancellationToken cancellationToken)
    {
        using var released = store.Signals.Subscribe(Leases.SignalOf(name));
        while (true)
        {
            if (await TryAcquireAsync(store, name, time, cancellationToken) is { } holder)
                return holder;
            await released.WaitAsync(time / 3, cancellationToken);
        }
    }

    /// <summary>Stops renewing, and gives the lease back so that another need not wait for it to expire.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested)
            return;
        await _closing.CancelAsync();
        await _renewing;
        await _lost.CancelAsync();
        try
        {
            await _store.Leases.ReleaseAsync(Fence, CancellationToken.None);
        }
        catch (StoreException)
        {
            // Giving back is a courtesy: the lease expires by itself.
        }
        _lost.Dispose();
        _closing.Dispose();
    }

    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        try
        {
            var pause = _time / 3;
            while (true)
            {
                await Task.Delay(pause, _store.Time, cancellationToken);
                pause = await TryRenewAsync(cancellationToken) ? _time / 3 : _time / 20;
                if (Lost.IsCancellationRequested)
                    return;
            }
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            // Given back.
        }
        catch (Exception)
        {
            // Whatever it was, nobody renews any more: those who act under the lease must stop.
            await _lost.CancelAsync();
        }
    }

    /// <summary>False when the store did not answer and it is to be asked again soon.</summary>
    private async Task<bool> TryRenewAsync(CancellationToken cancellationToken)
    {
        var askedAt = _store.Time.GetTimestamp();
        try
        {
            if (await _store.Leases.RenewAsync(Fence, _time, cancellationToken) && !Lost.IsCancellationRequested)
                _lost.CancelAfter(Left(askedAt));
            else
                await _lost.CancelAsync();
            return true;
        }
        catch (StoreException error) when (error.IsTransient)
        {
            return false;
        }
    }

    private TimeSpan Left(long askedAt)
    {
        var left = _time - _store.Time.GetElapsedTime(askedAt);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
