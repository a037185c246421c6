using System.Collections.Frozen;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Routing;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Pools;

/// <summary>
/// What the gateway serves from: the last snapshot, compiled, and beside it what only the gateway knows (requests under way, limits used, prefixes given). A new snapshot
/// replaces the first and keeps the second.
/// </summary>
public sealed class GatewayState
{
    private readonly Lock _pushing = new();
    private readonly GatewayOptions _options;
    private Dictionary<TaskId, ReplicaState> _replicas = [];
    private Dictionary<KeyId, KeyAccount> _accounts = [];
    private Dictionary<PurseId, KeySpending> _spent = [];
    private (Dictionary<PurseId, IReadOnlyDictionary<BudgetPeriod, Money>> Of, DateTimeOffset At) _lent = ([], default);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Compiled _compiled = Compiled.Empty;
    private int _lastSlot;

    public GatewayState(GatewayOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        Prefixes = new PrefixIndex(options.PrefixIndexEntries);
    }

    public GatewaySnapshot Snapshot => Volatile.Read(ref _compiled).Snapshot;

    /// <summary>Ends when the next snapshot came; take it before looking at what may change.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    internal PrefixIndex Prefixes { get; }

    /// <summary>What projects can spend.</summary>
    internal ProjectsMoney Funds { get; } = new();

    /// <summary>Waits for the first snapshot: before it nothing is known of keys and models, which is no fault of whoever asks. Goes on without one after the options' patience.</summary>
    /// <returns>Whether there is one.</returns>
    internal async Task<bool> BegunAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        if (Changed is var changed && Snapshot.Version == 0)
            await Task.WhenAny(changed, Task.Delay(_options.StartPatience, time, cancellationToken));
        return Snapshot.Version > 0;
    }

    /// <summary>Serves from a snapshot from now on. An older one than the last is dropped.</summary>
    public void Push(GatewaySnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        lock (_pushing)
        {
            if (snapshot.Version <= _compiled.Snapshot.Version && _compiled.Snapshot.Version != 0)
                return;
            var replicas = new Dictionary<TaskId, ReplicaState>();
            var routes = snapshot.Models.ToFrozenDictionary(m => m.Key, m => Compile(m.Value, replicas));
            _replicas = replicas;
            _accounts = Accounts(snapshot);
            Volatile.Write(ref _compiled, new Compiled(snapshot, routes, _accounts.ToFrozenDictionary()));
            Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        }
    }

    /// <summary>Requests that a replica's engine has and this gateway did not send, as it last said.</summary>
    internal double Elsewhere(TaskId task, DateTimeOffset now) => Volatile.Read(ref _replicas).TryGetValue(task, out var replica) ? replica.Elsewhere(now) : 0;

    /// <summary>What a replica's engine says of itself; see <see cref="ReplicaState.Report"/>.</summary>
    internal void Report(TaskId task, EngineReport report, int before, DateTimeOffset now)
    {
        if (Volatile.Read(ref _replicas).TryGetValue(task, out var replica))
            replica.Report(report, before, now);
    }

    /// <summary>Requests that a replica has at the moment.</summary>
    public int InFlight(TaskId task) => Volatile.Read(ref _replicas).TryGetValue(task, out var replica) ? replica.Requests : 0;

    /// <summary>Replicas that have requests at the moment, and how many.</summary>
    internal IReadOnlyList<(TaskId Task, int Requests)> Busy =>
        [.. Volatile.Read(ref _replicas).Select(r => (r.Key, r.Value.Requests)).Where(r => r.Requests > 0)];

    /// <summary>What a key has used of its budget; null where the gateway does not know the key.</summary>
    public KeyUse? UseOf(KeyId id, DateTimeOffset now)
    {
        if (FindKey(id) is not { Account: var account })
            return null;
        lock (account.TreeLock)
        {
            account.Advance(now);
            return new KeyUse(account.Spent, account.Reserved, BudgetPeriods.Next(account.Limits.Period, now));
        }
    }

    /// <summary>Says what keys had spent before this process began, and at a gateway that borrows also projects. Comes before the first snapshot.</summary>
    internal void Restore(IEnumerable<KeyValuePair<PurseId, KeySpending>> spent)
    {
        lock (_pushing)
            _spent = new Dictionary<PurseId, KeySpending>(spent);
    }

    /// <summary>The endpoint whose own name a request's <c>Host</c> is.</summary>
    /// <param name="host">Perhaps with a port, or a dot at the end.</param>
    internal HostRoute? FindHost(string? host)
    {
        var hosts = Volatile.Read(ref _compiled).Snapshot.Hosts;
        if (hosts.Count == 0 || string.IsNullOrEmpty(host))
            return null;
        var name = host.AsSpan();
        if (name.LastIndexOf(':') is var colon and > 0)
            name = name[..colon];
        return hosts.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name.TrimEnd('.'), out var found) ? found : null;
    }

    /// <summary>Says what of keys' budgets was lent to other gateways before this process began. Comes before the first snapshot.</summary>
    internal void RestoreLent(IReadOnlyDictionary<PurseId, IReadOnlyDictionary<BudgetPeriod, Money>> lent, DateTimeOffset now)
    {
        lock (_pushing)
            _lent = (new Dictionary<PurseId, IReadOnlyDictionary<BudgetPeriod, Money>>(lent), now);
    }

    internal CompiledRoute? FindRoute(ModelName name) => Volatile.Read(ref _compiled).Routes.GetValueOrDefault(name);

    internal (GatewayKey Key, KeyAccount Account)? FindKey(KeyId id)
    {
        var compiled = Volatile.Read(ref _compiled);
        return compiled.Snapshot.Keys.TryGetValue(id, out var key) ? (key, compiled.Accounts[id]) : null;
    }

    /// <summary>A key's budget or a project's credits; null where the gateway knows neither.</summary>
    internal IPurse? FindPurse(PurseId id) => FindKey(new KeyId(id.Value)) is var (_, account) ? account : Funds.Find(new ProjectId(id.Value));

    private CompiledRoute Compile(ModelRoute route, Dictionary<TaskId, ReplicaState> replicas)
    {
        var pools = new ReplicaPool?[route.Targets.Count];
        for (var i = 0; i < pools.Length; i++)
        {
            if (route.Targets[i] is not PoolTarget pool)
                continue;
            var states = pool.Replicas.Select(spec => Keep(spec, replicas)).OrderBy(r => r.Slot).ToArray();
            pools[i] = new ReplicaPool(pool, states);
        }
        return new CompiledRoute(route, pools, Ceiling(route), PrefixHashes.Seed(route.Name.Project + "/" + route.Name.Model, null))
        {
            AdapterBit = AdapterBits.Of(route.Adapter),
        };
    }

    private static TokenPrices Ceiling(ModelRoute route)
    {
        var all = route.Targets.Select(t => t.Prices).OfType<TokenPrices>().Append(route.Prices).ToList();
        return new TokenPrices(all.Max(p => Money.Max(p.Input, p.CachedInput ?? p.Input)), all.Max(p => p.Output));
    }

    private ReplicaState Keep(ReplicaSpec spec, Dictionary<TaskId, ReplicaState> replicas)
    {
        if (!replicas.TryGetValue(spec.Task, out var state))
        {
            if (!_replicas.TryGetValue(spec.Task, out state))
                state = new ReplicaState(++_lastSlot, spec, _options.Breaker);
            replicas.Add(spec.Task, state);
        }
        state.Renew(spec);
        return state;
    }

    private ProjectFunds FundsOf(ProjectId project)
    {
        var funds = Funds.Of(project);
        if (_spent.Remove(project, out var before))
            funds.Settle(Money.Zero, before.TotalSpent);
        return funds;
    }

    /// <summary>An account outlives every change of its key but one of its parent, which begins it anew under the other tree's lock.</summary>
    private Dictionary<KeyId, KeyAccount> Accounts(GatewaySnapshot snapshot)
    {
        var accounts = new Dictionary<KeyId, KeyAccount>();
        foreach (var key in snapshot.Keys.Values)
            Account(key, depth: 0);
        return accounts;

        KeyAccount Account(GatewayKey key, int depth)
        {
            if (accounts.TryGetValue(key.Id, out var account))
                return account;
            var parent = key.Parent is { } id && depth < GatewayOptions.MostKeyLevels && snapshot.Keys.TryGetValue(id, out var above) ? Account(above, depth + 1) : null;
            if (!_accounts.TryGetValue(key.Id, out account) || account.Parent != parent || account.Name != key.Name)
            {
                account = new KeyAccount(key.Name, parent, _options.BorrowedBudgets) { Funds = FundsOf(key.Project) };
                if (_spent.Remove(key.Id, out var before))
                    account.Restore(before);
                if (_lent.Of.Remove(key.Id, out var lent))
                    account.SpentElsewhere(Money.Zero, _lent.At, lent, _lent.At);
            }
            account.Change(key.Limits);
            return accounts[key.Id] = account;
        }
    }

    private sealed record Compiled(GatewaySnapshot Snapshot, FrozenDictionary<ModelName, CompiledRoute> Routes, FrozenDictionary<KeyId, KeyAccount> Accounts)
    {
        public static readonly Compiled Empty = new(GatewaySnapshot.Empty, FrozenDictionary<ModelName, CompiledRoute>.Empty, FrozenDictionary<KeyId, KeyAccount>.Empty);
    }
}

/// <summary>A route with its pools, one per target; null for a provider.</summary>
/// <param name="Ceiling">No target of the route charges more.</param>
internal sealed record CompiledRoute(ModelRoute Route, ReplicaPool?[] Pools, TokenPrices Ceiling, ulong PrefixSeed)
{
    /// <summary>The endpoint whose replicas it is served from, and whose load it is; null where only providers outside serve it.</summary>
    public EndpointId? Endpoint { get; } = Route.Targets.OfType<PoolTarget>().FirstOrDefault()?.Endpoint;

    /// <summary>The bit of the adapter that the route is for; 0 for none.</summary>
    public ulong AdapterBit { get; init; }
}
