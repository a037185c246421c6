using System.Security.Cryptography;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Logs;
using Cairn.Fleet.Nodes;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Cairn.Fleet.Link;

/// <summary>What a conversation talks to.</summary>
internal sealed record LinkParts(
    NodeLinks Links, Enrolment Enrolment, INodeWork Work, LogIngest Logs, NodeLinkOptions Options, NodeOptions NodeOptions,
    NodeInstruments Instruments, TimeProvider Time, ILogger<NodeConversation> Log);

/// <summary>
/// One stream's nodes, each on its own way from hello to work. Fed by the stream's one reader, message after message.
/// 1. Hello: the node says who it is; it gets a nonce, used once.
/// 2. Proof: the nonce signed with the node's key makes a session, and ends an older one.
/// 3. Welcome: replay, while other nodes go on; then the node speaks of its work.
/// What comes out of order, for no session or for an older one, is dropped.
/// </summary>
internal sealed partial class NodeConversation(NodeStream stream, LinkParts parts)
{
    private const int LogsRemembered = 1_024;
    private readonly Dictionary<NodeId, Greeting> _greetings = [];
    private readonly Dictionary<NodeId, NodeSession> _sessions = [];
    private readonly Lock _welcomesGate = new();
    private readonly HashSet<Task> _welcomes = [];

    public async ValueTask HandleAsync(NodeMessage message, CancellationToken cancellationToken)
    {
        if (message.BodyCase == NodeMessage.BodyOneofCase.Heartbeats)
        {
            await HearManyAsync(message.Heartbeats, cancellationToken);
            return;
        }
        if (!TypedId.TryParse<NodeId>(message.NodeId, out var id))
        {
            Drop();
            return;
        }
        switch (message.BodyCase)
        {
            case NodeMessage.BodyOneofCase.Hello:
                await GreetAsync(id, message.Hello, cancellationToken);
                break;
            case NodeMessage.BodyOneofCase.Proof:
                await ProveAsync(id, message.Proof, cancellationToken);
                break;
            default:
                if (_sessions.TryGetValue(id, out var session) && session.IsWelcome)
                    await HearAsync(session, message, cancellationToken);
                else
                    Drop();
                break;
        }
    }

    /// <summary>The stream has ended: its sessions are over, and the welcomes under way with them.</summary>
    public async Task EndAsync()
    {
        foreach (var session in _sessions.Values)
            parts.Links.Ended(session);
        Task[] welcomes;
        lock (_welcomesGate)
            welcomes = [.. _welcomes];
        await Task.WhenAll(welcomes);
    }

    private async ValueTask GreetAsync(NodeId id, Hello hello, CancellationToken cancellationToken)
    {
        var node = await parts.Enrolment.FindAsync(id, cancellationToken);
        if (node is null || !node.PublicKey.AsSpan().SequenceEqual(hello.PublicKey.Span))
        {
            Refused(id, "unknown node or key");
            await stream.SendAsync(NodeLinks.Refusal(id.ToString(), ProblemCodes.NotFound,
                $"no node {id} with this key is enrolled here; it was removed, or this is another server"), cancellationToken);
            return;
        }
        if (hello.BootEpoch < node.BootEpoch)
        {
            LeftBehind(node.Name, hello.BootEpoch, node.BootEpoch);
            Drop();
            return;
        }
        if (_greetings.Count + _sessions.Count >= parts.Options.MaxNodesPerStream && !_sessions.ContainsKey(id))
        {
            Refused(id, "too many nodes on one stream");
            stream.Close(StreamEnd.TooManyNodes);
            return;
        }
        var nonce = RandomNumberGenerator.GetBytes(NodeProof.NonceBytes);
        _greetings[id] = new Greeting(node, hello, nonce);
        var challenge = new Challenge { Nonce = UnsafeByteOperations.UnsafeWrap(nonce) };
        await stream.SendAsync(new ServerMessage { NodeId = node.WireId, Challenge = challenge }, cancellationToken);
    }

    private async ValueTask ProveAsync(NodeId id, Proof proof, CancellationToken cancellationToken)
    {
        // Removed whatever comes out: a nonce is good for one try.
        if (!_greetings.Remove(id, out var greeting))
        {
            Drop();
            return;
        }
        var node = greeting.Node;
        if (!NodeProof.Verify(node.PublicKey, greeting.Nonce, id.Value, proof.Signature.Span))
        {
            Refused(id, "wrong proof");
            parts.Instruments.Attached.Add(1, new KeyValuePair<string, object?>("result", "refused"));
            await stream.SendAsync(NodeLinks.Refusal(node.WireId, ProblemCodes.Unauthenticated,
                $"the proof of node {node.Name} is not its key's signature over this connection's nonce"), cancellationToken);
            return;
        }
        if (parts.Links.Open(node, stream, greeting.Hello.BootEpoch) is not { } session)
        {
            Drop();
            return;
        }
        node.DaemonVersion = greeting.Hello.DaemonVersion;
        _sessions[id] = session;
        parts.Instruments.Attached.Add(1, new KeyValuePair<string, object?>("result", "attached"));
        NodeAttached(node.Name, session.Number, greeting.Hello.BootEpoch);
        Track(WelcomeAsync(session, greeting.Hello, cancellationToken));
    }

    private async Task WelcomeAsync(NodeSession session, Hello hello, CancellationToken cancellationToken)
    {
        try
        {
            var replay = await parts.Work.ReplayAsync(session.NodeId, hello.Tasks, cancellationToken);
            var welcome = new Welcome
            {
                HeartbeatSeconds = parts.NodeOptions.HeartbeatSeconds,
                ServerUnixMicros = State.Micros.Of(parts.Time.GetUtcNow()),
            };
            welcome.ForgetTasks.Add(replay.ForgetTasks);
            await session.SendWelcomeAsync(welcome, replay.Commands, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The stream is over; the node attaches anew.
        }
        catch (Exception error)
        {
            WelcomeFailed(error, session.Node.Name);
            stream.Close(StreamEnd.Failed);
        }
    }

    private async ValueTask HearAsync(NodeSession session, NodeMessage message, CancellationToken cancellationToken)
    {
        session.Node.Hear(parts.Time.GetTimestamp());
        switch (message.BodyCase)
        {
            case NodeMessage.BodyOneofCase.Heartbeat:
                Renew(session, message.Heartbeat);
                break;
            case NodeMessage.BodyOneofCase.Report:
                await parts.Work.AcceptReportAsync(session.NodeId, message.Report, session, cancellationToken);
                break;
            case NodeMessage.BodyOneofCase.Output:
                await parts.Work.AcceptOutputAsync(session.NodeId, message.Output, session, cancellationToken);
                break;
            case NodeMessage.BodyOneofCase.Log:
                await KeepLogAsync(session, message.Log, cancellationToken);
                break;
            case NodeMessage.BodyOneofCase.Declaration:
                await RedeclareAsync(session, message.Declaration, null, cancellationToken);
                break;
            case NodeMessage.BodyOneofCase.Inventory:
                await RedeclareAsync(session, null, message.Inventory, cancellationToken);
                break;
            default:
                Drop();
                break;
        }
    }

    private async ValueTask HearManyAsync(HeartbeatBatch batch, CancellationToken cancellationToken)
    {
        var now = parts.Time.GetTimestamp();
        var heard = 0;
        NodeSession? any = null;
        foreach (var bytes in batch.NodeIds)
        {
            if (bytes.Length != 16 || !_sessions.TryGetValue(new NodeId(new Guid(bytes.Span, bigEndian: true)), out var session)
                || !session.IsWelcome)
            {
                Drop();
                continue;
            }
            session.Node.Hear(now);
            any = session;
            heard++;
        }
        parts.Instruments.Heartbeats.Add(heard);
        if (any is not null)
            await any.SendHeartbeatAckAsync(cancellationToken);
    }

    private void Renew(NodeSession session, Heartbeat heartbeat)
    {
        parts.Instruments.Heartbeats.Add(1);
        session.SendHeartbeatAck();
        if (heartbeat.Tasks.Count == 0)
            return;
        var renewal = new LeaseRenewal();
        renewal.TaskIds.Add(parts.Work.Renew(session.NodeId, heartbeat.Tasks));
        session.Send(new ServerMessage { Renewal = renewal });
    }

    private async ValueTask KeepLogAsync(NodeSession session, LogChunk chunk, CancellationToken cancellationToken)
    {
        if (!TypedId.TryParse<TaskId>(chunk.TaskId, out var task))
        {
            Drop();
            return;
        }
        if (!session.Logs.TryGetValue((task, chunk.Epoch), out var key))
        {
            if (await parts.Work.FindLogAsync(session.NodeId, task, chunk.Epoch, cancellationToken) is not { } found)
            {
                Drop();
                return;
            }
            if (session.Logs.Count >= LogsRemembered)
                session.Logs.Clear();
            session.Logs[(task, chunk.Epoch)] = key = found;
        }
        parts.Instruments.LogBytes.Add(chunk.Data.Length);
        var kept = parts.Logs.Append(key, chunk.Offset, chunk.Data.Memory);
        await session.ReplyAsync(new ServerMessage { LogAck = new LogAck { TaskId = chunk.TaskId, Epoch = chunk.Epoch, Offset = kept } },
            cancellationToken);
    }

    private async ValueTask RedeclareAsync(NodeSession session, Declaration? declaration, Inventory? inventory,
        CancellationToken cancellationToken)
    {
        if (await parts.Enrolment.RedeclareAsync(session.Node, declaration, inventory, cancellationToken) is { } problem)
            DeclarationRefused(session.Node.Name, problem.Message);
    }

    private void Track(Task welcome)
    {
        if (welcome.IsCompleted)
            return;
        lock (_welcomesGate)
            _welcomes.Add(welcome);
        _ = welcome.ContinueWith(done =>
        {
            lock (_welcomesGate)
                _welcomes.Remove(done);
        }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private void Drop() => parts.Instruments.Dropped.Add(1);

    private sealed record Greeting(FleetNode Node, Hello Hello, byte[] Nonce);
}
