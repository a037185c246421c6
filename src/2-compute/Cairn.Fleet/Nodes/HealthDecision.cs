using Cairn.Contracts.Jobs;

namespace Cairn.Fleet.Nodes;

/// <summary>Health as a function of silence alone. Pure.</summary>
internal static class HealthDecision
{
    /// <param name="silentFor">Since the node was last heard, or since the server began to listen, whichever is later.</param>
    /// <param name="unhealthyAfter">Silence beyond this makes a node unhealthy.</param>
    /// <param name="lostAfter">Silence beyond this makes it lost.</param>
    /// <param name="health">What it counts as now. A node that was not heard since never improves.</param>
    /// <param name="heard">Whether this server has heard it at all.</param>
    public static NodeHealth Of(NodeHealth health, TimeSpan silentFor, bool heard, TimeSpan unhealthyAfter, TimeSpan lostAfter)
    {
        if (silentFor > lostAfter)
            return NodeHealth.Lost;
        if (silentFor > unhealthyAfter)
            return health == NodeHealth.Lost ? NodeHealth.Lost : NodeHealth.Unhealthy;
        return heard ? NodeHealth.Healthy : health;
    }
}
