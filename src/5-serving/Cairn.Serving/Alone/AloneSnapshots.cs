using Cairn.Contracts.Ids;
using Cairn.Serving.Endpoints;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Gateways;

namespace Cairn.Serving.Alone;

/// <summary>
/// What the gateway serves from: the server's last word, kept on disk, and while the server is away less the replicas that do not answer
/// the gateway itself. A replica that was not ready when the server left stays so: nobody knows whether its model is loaded. Engines that
/// are dialled directly are asked for their metrics.
/// </summary>
internal sealed class AloneSnapshots(AloneBook book, AloneFiles files, ReplicaProber prober, EngineWatch engines, ServerLink link, AloneOptions options)
{
    private readonly Lock _lock = new();
    private SnapshotFile? _last;
    private HashSet<TaskId> _silent = [];
    private bool _watches;
    private long _version;

    /// <summary>The largest file that the server takes, bytes.</summary>
    public long MostFileBytes
    {
        get
        {
            lock (_lock)
                return _last?.MostFileBytes ?? SnapshotFile.UsualFileBytes;
        }
    }

    /// <summary>Begins with what is on disk.</summary>
    /// <returns>Whether there was something.</returns>
    public bool Begin()
    {
        lock (_lock)
        {
            _last = files.LoadSnapshot();
            Push();
            return _last is not null;
        }
    }

    /// <summary>The server has spoken.</summary>
    /// <exception cref="IOException">It could not be kept on disk; it is served from all the same.</exception>
    public void Take(SnapshotFile snapshot)
    {
        lock (_lock)
        {
            (_last, _silent) = (snapshot, []);
            Push();
        }
        files.SaveSnapshot(snapshot);
    }

    /// <summary>Looks whether replicas answer while the server cannot tell. Called about every second.</summary>
    public void Look()
    {
        lock (_lock)
        {
            if (!link.IsAway)
            {
                if (_watches)
                    prober.Watch([]);
                _watches = false;
                return;
            }
            var replicas = Replicas(_last).Where(r => r is { Ready: true, Draining: false, Tunnelled: false }).DistinctBy(r => r.Task).ToList();
            prober.Watch([.. replicas.Select(r => new ProbeTarget(r, null, null))]);
            _watches = true;
            var silent = replicas.Where(r => prober.Of(r.Task) is { Ready: false, Failures: >= ReplicaProber.FailuresToUnready }).Select(r => r.Task).ToHashSet();
            if (silent.SetEquals(_silent))
                return;
            _silent = silent;
            Push();
        }
    }

    /// <summary>Nothing the server told is known or kept any more.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _last = new SnapshotFile([], []);
            Push();
            files.ForgetSnapshot();
        }
    }

    private static IEnumerable<ReplicaSpec> Replicas(SnapshotFile? snapshot) =>
        (snapshot?.Models ?? []).SelectMany(m => m.Targets.OfType<PoolTarget>()).SelectMany(t => t.Replicas);

    /// <summary>Those behind tunnels are not asked: every question would go through the server, which asks them itself.</summary>
    private static IEnumerable<ProbeTarget> Engines(IReadOnlyList<ModelRoute> models) => models
        .Where(model => !model.Name.Model.StartsWith('/')).SelectMany(model => model.Targets.OfType<PoolTarget>())
        .SelectMany(pool => pool.Replicas.Where(r => !r.Tunnelled).Select(r => new ProbeTarget(r, null, pool.UpstreamModel))).DistinctBy(target => target.Replica.Task);

    private void Push()
    {
        if (_last is not { } last)
            return;
        if (options.DirectReplicas)
            last = _last = last with { Models = Changed(last.Models, r => r with { Tunnelled = false }) };
        var models = _silent.Count == 0 ? last.Models : Changed(last.Models, r => _silent.Contains(r.Task) ? r with { Ready = false } : r);
        book.Push((last with { Models = models }).ToSnapshot(++_version), last.LimitsFunds);
        engines.Watch(Engines(models));
    }

    private static List<ModelRoute> Changed(IReadOnlyList<ModelRoute> models, Func<ReplicaSpec, ReplicaSpec> change) =>
    [
        .. models.Select(model => model with
        {
            Targets = [.. model.Targets.Select(target => target is PoolTarget pool ? pool with { Replicas = [.. pool.Replicas.Select(change)] } : target)],
        }),
    ];
}
