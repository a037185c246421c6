using Cairn.State;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Fleet.Nodes;

/// <summary>
/// Rebuilds the nodes in memory before anything listens or reconciles, and writes the last sightings when the server stops.
/// </summary>
internal sealed partial class NodeRebuild(Store store, FleetNodes nodes, Sightings sightings, ILogger<NodeRebuild> logger)
    : IHostedLifecycleService
{
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        var rows = await store.ReadAsync(NodeRows.AllInService, cancellationToken);
        foreach (var (row, node) in rows.AsParallel().Select(row => (row, row.ToNode())))
        {
            if (node is null)
                Unreadable(row.Name);
            else
                nodes.Add(node, joined: false);
        }
        Rebuilt(nodes.Count);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => sightings.WriteAllAsync(cancellationToken);

    [LoggerMessage(LogLevel.Information, "{Count} nodes are enrolled")]
    private partial void Rebuilt(int count);

    [LoggerMessage(LogLevel.Error,
        "The row of node {Node} declares what this version cannot use; the node is left out until its daemon declares itself anew")]
    private partial void Unreadable(string node);
}
