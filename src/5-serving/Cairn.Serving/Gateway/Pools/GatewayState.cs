using System.Collections.Frozen;
using Cairn.Contracts.Ids;
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

    /// <summary>Requests that a replica has at the moment.</summary>
    public int InFlight(TaskId task) => Volatile.Read(ref _replicas).TryGetValue(task, out var replica) ? replica.Requests : 0;

    internal CompiledRoute? FindRoute(ModelName name) => Volatile.Read(ref _compiled).Routes.GetValueOrDefault(name);

    internal (GatewayKey Key, KeyAccount Account)? FindKey(KeyId id)
    {
        var compiled = Volatile.Read(ref _compiled);
        return compiled.Snapshot.Keys.TryGetValue(id, out var key) ? (key, compiled.Accounts[id]) : null;
    }

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
        return new CompiledRoute(route, pools, PrefixHashes.Seed(route.Name.Project + "/" + route.Name.Model, null));
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
                account = new KeyAccount(key.Name, parent);
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
internal sealed record CompiledRoute(ModelRoute Route, ReplicaPool?[] Pools, ulong PrefixSeed);
