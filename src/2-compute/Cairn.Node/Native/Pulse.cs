namespace Cairn.Node.Native;

/// <summary>An auto-reset signal: any number of sets before a wait wake it once. One waiter at a time.</summary>
internal sealed class Pulse
{
    private readonly SemaphoreSlim _signal = new(0, 1);

    public void Set()
    {
        lock (_signal)
        {
            if (_signal.CurrentCount == 0)
                _signal.Release();
        }
    }

    /// <summary>Returns when set, or after <paramref name="timeout"/>; an infinite one waits for the signal alone.</summary>
    public async Task WaitAsync(TimeSpan timeout, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (timeout == Timeout.InfiniteTimeSpan)
        {
            await _signal.WaitAsync(cancellationToken);
            return;
        }
        using var expiry = new CancellationTokenSource(timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(expiry.Token, cancellationToken);
        try
        {
            await _signal.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
        }
    }
}
