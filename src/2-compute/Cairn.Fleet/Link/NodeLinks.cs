using Cairn.Contracts.Ids;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Nodes;

namespace Cairn.Fleet.Link;

/// <summary>Which node is reachable over which session. At most one session of a node is current.</summary>
internal sealed class NodeLinks(FleetNodes nodes)
{
    private long _numbers;

    /// <summary>Queues a message to a node. False when it is not connected here: it gets its commands by replay when it attaches.</summary>
    public bool Send(NodeId node, ServerMessage message) => Current(node)?.Send(message) ?? false;

    public bool IsConnected(NodeId node) => Current(node) is not null;

    /// <summary>The node's session; null while it is away.</summary>
    public NodeSession? Current(NodeId node) => nodes.Find(node)?.Session is { IsCurrent: true } session ? session : null;

    /// <summary>
    /// Makes a session for a node that has proved its key; an older one of the node ends. Null when a later start of the daemon was
    /// already seen: the caller is a copy that was left behind.
    /// </summary>
    internal NodeSession? Open(FleetNode node, NodeStream stream, long bootEpoch)
    {
        NodeSession? older;
        NodeSession session;
        lock (node.SessionGate)
        {
            if (bootEpoch < node.BootEpoch || node.Phase == Contracts.Jobs.NodePhase.Removed)
                return null;
            older = node.Session;
            session = new NodeSession(node, stream, Interlocked.Increment(ref _numbers), bootEpoch);
            older?.Close();
            node.Session = session;
            node.BootEpoch = bootEpoch;
        }
        if (!ReferenceEquals(older?.Stream, stream))
        {
            stream.SessionOpened();
            older?.Stream.SessionClosed();
        }
        nodes.Attached(node);
        return session;
    }

    /// <summary>The session's stream has ended. Does nothing to a newer session of the node.</summary>
    internal void Ended(NodeSession session)
    {
        session.Close();
        lock (session.Node.SessionGate)
        {
            if (!ReferenceEquals(session.Node.Session, session))
                return;
            session.Node.Session = null;
        }
        nodes.Detached(session.Node);
    }

    /// <summary>Tells a node that it is not wanted, and ends its session.</summary>
    internal void Refuse(FleetNode node, string code, string message)
    {
        if (node.Session is not { } session)
            return;
        session.Stream.TrySend(Refusal(node.WireId, code, message));
        Ended(session);
        session.Stream.SessionClosed();
    }

    internal static ServerMessage Refusal(string node, string code, string message) =>
        new() { NodeId = node, Refused = new Refused { Code = code, Message = message } };
}
