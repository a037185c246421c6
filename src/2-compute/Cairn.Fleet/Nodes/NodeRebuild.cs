using Cairn.State;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Fleet.Nodes;

/// <summary>
/// Rebuilds the nodes in memory before anything listens or reconciles, and again where this server begins to lead those that share the
/// database; writes the last sightings when the server stops.
/// </summary>
internal sealed partial class NodeRebuild(Store store, FleetNodes nodes, Sightings sightings, ILogger<NodeRebuild> logger)
    : IHostedLifecycleService
{
    private Fence? _fence;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        foreach (var node in await ReadAsync(cancellationToken))
            nodes.Add(node, joined: false);
        Rebuilt(nodes.Count);
    }

    /// <summary>
    /// Another server led until now: nodes came and went there, and were heard there. Reads them once for each fence, before the jobs that
    /// run on them; without a fence no other shares the database.
    /// </summary>
    public async Task TakeOverAsync(Fence? fence, CancellationToken cancellationToken)
    {
        if (fence == _fence)
            return;
        long before;
        do
            before = nodes.RowChanges;
        while (!nodes.TryTakeOver(await ReadAsync(cancellationToken), before));
        _fence = fence;
        Rebuilt(nodes.Count);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => sightings.WriteAllAsync(cancellationToken);

    private async Task<List<FleetNode>> ReadAsync(CancellationToken cancellationToken)
    {
        var rows = await store.ReadAsync(NodeRows.AllInService, cancellationToken);
        var all = new List<FleetNode>(rows.Count);
        foreach (var (row, node) in rows.AsParallel().Select(row => (row, row.ToNode())))
        {
            if (node is null)
                Unreadable(row.Name);
            else
                all.Add(node);
        }
        return all;
    }

    [LoggerMessage(LogLevel.Information, "{Count} nodes are enrolled")]
    private partial void Rebuilt(int count);

    [LoggerMessage(LogLevel.Error,
        "The row of node {Node} declares what this version cannot use; the node is left out until its daemon declares itself anew")]
    private partial void Unreadable(string node);
}
