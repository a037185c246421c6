using Microsoft.Extensions.Logging;

namespace Cairn.Fleet.Nodes;

internal sealed partial class HealthReconciler
{
    [LoggerMessage(LogLevel.Warning, "This server listened to nobody for {Pause}: it was stopped, or another led, so every node gets its time anew")]
    private partial void ServerPaused(TimeSpan pause);

    [LoggerMessage(LogLevel.Information, "Node {Node} is silent for {SilentFor} and takes no new work")]
    private partial void NodeSilent(string node, TimeSpan silentFor);

    [LoggerMessage(LogLevel.Warning, "Node {Node} is silent for {SilentFor} and is lost; its leases are void")]
    private partial void NodeLost(string node, TimeSpan silentFor);

    [LoggerMessage(LogLevel.Information, "Node {Node} is heard again")]
    private partial void NodeReturned(string node);
}
