using Cairn.Contracts.Jobs;
using Microsoft.Extensions.Logging;

namespace Cairn.Fleet.Nodes;

/// <summary>
/// Looks at every node's silence about once a second. A scan reads two fields of each node, which for forty thousand nodes is under a
/// millisecond: nothing is scheduled per node and a heartbeat is one write.
/// </summary>
internal sealed partial class HealthReconciler(FleetNodes nodes, NodeOptions options, TimeProvider time, ILogger<HealthReconciler> logger)
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(5);
    private long _listeningSince = time.GetTimestamp();
    private long _lastScan = time.GetTimestamp();

    /// <summary>One look at all nodes.</summary>
    public void Scan()
    {
        var now = time.GetTimestamp();
        // A server that was itself stopped has heard nobody: that is its silence and not the nodes', so they all get the limit anew.
        if (time.GetElapsedTime(_lastScan, now) > s_pause + TimeSpan.FromSeconds(options.ScanSeconds))
        {
            _listeningSince = now;
            ServerPaused(time.GetElapsedTime(_lastScan, now));
        }
        _lastScan = now;
        var unhealthyAfter = TimeSpan.FromSeconds(options.UnhealthyAfterSeconds);
        var lostAfter = TimeSpan.FromSeconds(options.LostAfterSeconds);
        foreach (var node in nodes.InNameOrder())
        {
            var heardAt = node.HeardAt;
            var silentFor = time.GetElapsedTime(Math.Max(heardAt, _listeningSince), now);
            var health = HealthDecision.Of(node.Health, silentFor, node.HeardHere && heardAt >= _listeningSince, unhealthyAfter, lostAfter);
            if (health != node.Health)
                Apply(node, health, heardAt, silentFor);
        }
    }

    private void Apply(FleetNode node, NodeHealth health, long heardAt, TimeSpan silentFor)
    {
        var before = node.Health;
        if (!nodes.SetHealth(node, health, heardAt))
            return;
        if (health == NodeHealth.Lost)
            NodeLost(node.Name, silentFor);
        else if (before == NodeHealth.Lost || health == NodeHealth.Healthy)
            NodeReturned(node.Name);
        else
            NodeSilent(node.Name, silentFor);
    }
}
