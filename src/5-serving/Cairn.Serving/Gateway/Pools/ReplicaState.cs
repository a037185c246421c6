using System.Collections.Frozen;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Routing;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Pools;

/// <summary>
/// The one mutable holder of what the gateway itself knows of a replica. Lives as long as a snapshot names its task or a request is under
/// way.
/// </summary>
internal sealed class ReplicaState(int slot, ReplicaSpec spec, BreakerOptions breaker)
{
    private readonly CircuitBreaker _breaker = new(breaker);
    private readonly Lock _lock = new();
    private readonly AdapterMemory _adapters = new();
    private volatile Reported? _reported;
    private volatile FrozenDictionary<string, Uri> _addresses = FrozenDictionary<string, Uri>.Empty;
    private int _requests;
    private long _tokens;
    private int _broken;

    /// <summary>Never used for another replica.</summary>
    public int Slot { get; } = slot;

    /// <summary>As the last snapshot has it.</summary>
    public ReplicaSpec Spec { get; private set; } = spec;

    public int Requests => Volatile.Read(ref _requests);

    public long Tokens => Volatile.Read(ref _tokens);

    /// <summary>Requests that its engine has and this gateway did not send, when it last said so; 0 where that is too long ago.</summary>
    public double Elsewhere(DateTimeOffset now) => _reported is { } reported && reported.IsFresh(now) ? reported.Elsewhere : 0;

    /// <summary>
    /// What its engine says of itself. Requests come and go while it is asked, so what it has beyond this gateway's own is somebody
    /// else's only where three reports in a row say so: the least of them counts.
    /// </summary>
    /// <param name="report">As of now.</param>
    /// <param name="before">Requests that this gateway had there when it asked.</param>
    /// <param name="now">When it said so.</param>
    public void Report(EngineReport report, int before, DateTimeOffset now)
    {
        var beyond = Math.Max(0, report.Running + report.Waiting - Math.Max(before, Requests));
        var last = _reported is { } known && known.IsFresh(now) ? known : null;
        _reported = new Reported(report.CacheUsage, beyond, last?.Beyond ?? beyond, last?.BeyondBefore ?? beyond, AdapterBits.Of(report.Adapters), report.MostAdapters, now);
    }

    public void Renew(ReplicaSpec spec)
    {
        if (spec.Address != Spec.Address || spec.Tunnelled != Spec.Tunnelled)
            _addresses = FrozenDictionary<string, Uri>.Empty;
        Spec = spec;
    }

    /// <summary>The address of a path that is asked for again and again; made once.</summary>
    public Uri AddressOf(string path)
    {
        var known = _addresses;
        if (known.TryGetValue(path, out var address))
            return address;
        address = Upstream.AddressOf(Spec, path);
        _addresses = known.Append(new KeyValuePair<string, Uri>(path, address)).ToFrozenDictionary();
        return address;
    }

    /// <summary>What a decision sees.</summary>
    public void View(ref ReplicaView view, DateTimeOffset now)
    {
        var spec = Spec;
        view.Slot = Slot;
        view.Condition = !spec.Ready ? ReplicaCondition.Unready
            : spec.Draining ? ReplicaCondition.Draining
            : Volatile.Read(ref _broken) != 0 && !Allowed(now) ? ReplicaCondition.Broken
            : ReplicaCondition.Ready;
        view.Requests = Requests;
        view.MostRequests = spec.MostRequests;
        view.Tokens = Tokens;
        view.LatencyMs = spec.LatencyMs;
        view.AdapterBits = _adapters.Bits;
        (view.CacheUsage, view.Elsewhere) = (0, 0);
        if (_reported is { } reported && reported.IsFresh(now))
        {
            (view.CacheUsage, view.Elsewhere) = (reported.CacheUsage, (float)reported.Elsewhere);
            view.AdapterBits |= reported.AdapterBits;
        }
    }

    /// <summary>A request goes to it, where it has room: many choose it at once by what it had a moment before.</summary>
    /// <param name="tokens">The work that it brings.</param>
    /// <param name="adapter">The bit of the adapter that it is for; 0 for none.</param>
    /// <returns>False where it is full by now.</returns>
    public bool TryBegin(long tokens, ulong adapter)
    {
        var most = Spec.MostRequests;
        if (Interlocked.Increment(ref _requests) > most && most > 0)
        {
            Interlocked.Decrement(ref _requests);
            return false;
        }
        if (adapter != 0)
        {
            lock (_lock)
                _adapters.Sent(adapter, _reported is { MostAdapters: > 0 } known ? known.MostAdapters : AdapterBits.UsualSlots);
        }
        Interlocked.Add(ref _tokens, tokens);
        if (Volatile.Read(ref _broken) != 0)
        {
            lock (_lock)
                _breaker.Begin();
        }
        return true;
    }

    /// <summary>Part of a request's work is done.</summary>
    public void Did(long tokens) => Interlocked.Add(ref _tokens, -tokens);

    /// <summary>A request left it.</summary>
    /// <param name="left">Of the tokens it began with, those that <see cref="Did"/> was not told of.</param>
    public void End(long left, AttemptEnd end, DateTimeOffset now)
    {
        Interlocked.Add(ref _tokens, -left);
        Interlocked.Decrement(ref _requests);
        lock (_lock)
        {
            switch (end)
            {
                case AttemptEnd.Answered: _breaker.Succeeded(now); break;
                case AttemptEnd.Failed: _breaker.Failed(now); break;
                default: _breaker.Abandoned(); break;
            }
            Volatile.Write(ref _broken, _breaker.IsOpen ? 1 : 0);
        }
    }

    private bool Allowed(DateTimeOffset now)
    {
        lock (_lock)
            return _breaker.Allows(now);
    }

    private sealed record Reported(float CacheUsage, double Beyond, double BeyondBefore, double BeyondFirst, ulong AdapterBits, int MostAdapters, DateTimeOffset At)
    {
        private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(30);

        public double Elsewhere => Math.Min(Beyond, Math.Min(BeyondBefore, BeyondFirst));

        public bool IsFresh(DateTimeOffset now) => now - At < s_longest;
    }
}

/// <summary>How a replica dealt with a request.</summary>
internal enum AttemptEnd
{
    /// <summary>It answered, be it that the request was wrong.</summary>
    Answered,

    /// <summary>It could not be reached, broke off, or said that it cannot.</summary>
    Failed,

    /// <summary>The client left, or another was faster.</summary>
    Abandoned,
}
