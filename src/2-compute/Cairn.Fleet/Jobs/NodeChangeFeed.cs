using Cairn.Fleet.Nodes;
using Microsoft.Extensions.Hosting;

namespace Cairn.Fleet.Jobs;

/// <summary>Wakes the reconciler when nodes change.</summary>
internal sealed class NodeChangeFeed(NodeChanges changes, FleetInbox inbox) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await changes.WaitAsync(stoppingToken);
            inbox.Post(new FleetInput.NodesChanged());
        }
    }
}
