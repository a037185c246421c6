using System.Collections.Concurrent;
using System.Text;

namespace Cairn.State;

/// <summary>
/// Wakes those who wait on rows. A signal says only "look again": it may come late, twice, or, when a connection broke, not at all, so
/// whoever waits also looks on a timer.
/// </summary>
public sealed class Signals
{
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<SignalSubscription, bool>> _subscriptions =
        new(StringComparer.Ordinal);

    internal Signals(TimeProvider time)
    {
        _time = time;
    }

    /// <summary>Starts to gather signals of this name: one raised before the first wait is not missed.</summary>
    public SignalSubscription Subscribe(string name) => Add(name, null);

    /// <summary>Calls back for every signal of this name, with its payload. The callback must be short and must not throw.</summary>
    public SignalSubscription Subscribe(string name, Action<string?> onSignal) => Add(name, onSignal);

    /// <summary>Wakes those on this server alone. To tell every server, raise it in a work: <see cref="WriteSession.Signal"/>.</summary>
    public void Raise(string name, string? payload = null)
    {
        if (!_subscriptions.TryGetValue(name, out var subscribers))
            return;
        foreach (var (subscriber, _) in subscribers)
            subscriber.Set(payload);
    }

    /// <summary>Wakes everyone: signals may have been missed.</summary>
    internal void RaiseAll()
    {
        foreach (var name in _subscriptions.Keys)
            Raise(name);
    }

    private SignalSubscription Add(string name, Action<string?>? onSignal)
    {
        var subscribers = _subscriptions.GetOrAdd(name, static _ => new());
        var subscription = new SignalSubscription(_time, onSignal, s => subscribers.TryRemove(s, out _));
        subscribers[subscription] = true;
        return subscription;
    }
}

/// <summary>One who waits for a signal's name. Signals that come while it is not waiting are kept as one.</summary>
public sealed class SignalSubscription : IDisposable
{
    private readonly TimeProvider _time;
    private readonly Action<string?>? _onSignal;
    private readonly Action<SignalSubscription> _remove;
    private readonly SemaphoreSlim _raised = new(0, 1);

    internal SignalSubscription(TimeProvider time, Action<string?>? onSignal, Action<SignalSubscription> remove)
    {
        (_time, _onSignal, _remove) = (time, onSignal, remove);
    }

    /// <summary>Waits for a signal or for the time to pass; true when a signal came. One waiter at a time.</summary>
    /// <param name="timeout">How long at most, by the store's clock; not negative, or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<bool> WaitAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (_raised.Wait(0, CancellationToken.None))
            return true;
        cancellationToken.ThrowIfCancellationRequested();
        using var timer = new CancellationTokenSource(timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            await _raised.WaitAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Stops gathering. A wait that is under way ends only by its timeout or token.</summary>
    public void Dispose() => _remove(this);

    internal void Set(string? payload)
    {
        _onSignal?.Invoke(payload);
        try
        {
            _raised.Release();
        }
        catch (SemaphoreFullException)
        {
            // Already raised and not yet seen: the two are one.
        }
    }
}

/// <summary>A signal on its way.</summary>
internal readonly record struct RaisedSignal(string Name, string? Payload)
{
    /// <summary>PostgreSQL carries under 8,000 bytes in a notification; the server's id and separators take some.</summary>
    private const int MostBytes = 7_800;

    public static RaisedSignal Checked(string name, string? payload)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.Contains('\n', StringComparison.Ordinal))
            throw new ArgumentException("A signal's name is one line.", nameof(name));
        var bytes = Encoding.UTF8.GetByteCount(name) + Encoding.UTF8.GetByteCount(payload ?? "");
        if (bytes > MostBytes)
        {
            throw new ArgumentException(
                $"The signal {name} has {bytes} bytes of name and payload; at most {MostBytes} travel. Put the data in a row.",
                nameof(payload));
        }
        return new RaisedSignal(name, payload);
    }
}
