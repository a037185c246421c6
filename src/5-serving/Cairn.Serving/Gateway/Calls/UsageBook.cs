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
/// that failed. Bounded by the subjects there are, not by requests.
/// </summary>
public sealed class UsageBook
{
    private readonly ConcurrentDictionary<UsageSubject, UsageSum> _sums = new();

    /// <summary>Adds one request's usage.</summary>
    public void Add(UsageSubject subject, UsageSum sum) => _sums.AddOrUpdate(subject, sum, (_, old) => old + sum);

    /// <summary>Everything since the last time; the caller owns it from now on.</summary>
    public IReadOnlyCollection<KeyValuePair<UsageSubject, UsageSum>> Take()
    {
        var taken = new List<KeyValuePair<UsageSubject, UsageSum>>();
        foreach (var subject in _sums.Keys)
        {
            if (_sums.TryRemove(subject, out var sum))
                taken.Add(new(subject, sum));
        }
        return taken;
    }
}
