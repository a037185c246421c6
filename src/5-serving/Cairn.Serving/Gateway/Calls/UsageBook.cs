using System.Collections.Concurrent;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>Who used what.</summary>
public readonly record struct UsageSubject(ProjectId Project, KeyId Key, string Model, EndpointId? Endpoint, string? Provider);

/// <summary>Sums since they were last taken.</summary>
public readonly record struct UsageSum(long Requests, long InputTokens, long CachedTokens, long OutputTokens, Money Cost)
{
    public static UsageSum operator +(UsageSum a, UsageSum b) => new(a.Requests + b.Requests, a.InputTokens + b.InputTokens, a.CachedTokens + b.CachedTokens,
        a.OutputTokens + b.OutputTokens, a.Cost + b.Cost);
}

/// <summary>
/// Sums of usage that wait to be written to the ledger. A request adds to memory; a loop takes the sums and writes them in one transaction, and puts them back where
/// that failed. Bounded by the subjects there are, not by requests. Safe for concurrent use.
/// </summary>
public sealed class UsageBook
{
    private readonly ConcurrentDictionary<UsageSubject, Sum> _sums = new();

    /// <summary>Adds one request's usage.</summary>
    public void Add(UsageSubject subject, UsageSum sum)
    {
        while (_sums.GetOrAdd(subject, static _ => new Sum()) is var known && !known.TryAdd(sum))
            _sums.TryRemove(new(subject, known));
    }

    /// <summary>Everything since the last time; the caller owns it from now on.</summary>
    public IReadOnlyCollection<KeyValuePair<UsageSubject, UsageSum>> Take()
    {
        var taken = new List<KeyValuePair<UsageSubject, UsageSum>>(_sums.Count);
        foreach (var (subject, sum) in _sums)
        {
            if (sum.Take() is { } used)
                taken.Add(new(subject, used));
            else
                _sums.TryRemove(new(subject, sum));
        }
        return taken;
    }

    /// <summary>
    /// One subject's. Stays from one taking to the next as long as something is added between them: a new one each time would be garbage of a second's age, and the runtime
    /// leaves that lying.
    /// </summary>
    private sealed class Sum
    {
        private readonly Lock _lock = new();
        private UsageSum _sum;
        private bool _gone;

        /// <returns>False where it was given up.</returns>
        public bool TryAdd(UsageSum more)
        {
            lock (_lock)
            {
                if (!_gone)
                    _sum += more;
                return !_gone;
            }
        }

        /// <returns>Null where nothing was added since the last time; then it is given up.</returns>
        public UsageSum? Take()
        {
            lock (_lock)
            {
                if (_sum == default)
                    _gone = true;
                var sum = _sum;
                _sum = default;
                return _gone ? null : sum;
            }
        }
    }
}
