using Cairn.Contracts.Ids;
using Microsoft.Extensions.Logging;

namespace Cairn.Fleet.Link;

internal sealed partial class NodeConversation
{
    private void NodeAttached(string node, long session, long bootEpoch) => NodeAttached(parts.Log, node, session, bootEpoch);

    private void Refused(NodeId node, string why) => Refused(parts.Log, node, why);

    private void LeftBehind(string node, long said, long seen) => LeftBehind(parts.Log, node, said, seen);

    private void DeclarationRefused(string node, string why) => DeclarationRefused(parts.Log, node, why);

    private void WelcomeFailed(Exception error, string node) => WelcomeFailed(parts.Log, error, node);

    [LoggerMessage(LogLevel.Debug, "Node {Node} attached: session {Session}, start {BootEpoch} of its daemon")]
    private static partial void NodeAttached(ILogger log, string node, long session, long bootEpoch);

    [LoggerMessage(LogLevel.Warning, "A stream was refused for node {Node}: {Why}")]
    private static partial void Refused(ILogger log, NodeId node, string why);

    [LoggerMessage(LogLevel.Warning,
        "A daemon of node {Node} says it is start {Said}, but start {Seen} was seen: it was left behind and is not answered")]
    private static partial void LeftBehind(ILogger log, string node, long said, long seen);

    [LoggerMessage(LogLevel.Warning, "Node {Node} declares what is not usable, so what it declared before holds: {Why}")]
    private static partial void DeclarationRefused(ILogger log, string node, string why);

    [LoggerMessage(LogLevel.Error, "Node {Node} could not be welcomed; its stream ends and it attaches anew")]
    private static partial void WelcomeFailed(ILogger log, Exception error, string node);
}
