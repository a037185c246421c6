using System.Threading.Channels;
using Cairn.Contracts.Wire;
using Google.Protobuf;
using Grpc.Core;

namespace Cairn.Bench.Simulated;

/// <summary>One attach stream that stands for many simulated nodes: each says hello, proves its key and is welcomed on its own.</summary>
internal sealed class SimulatedStream : IAsyncDisposable
{
    private readonly AsyncDuplexStreamingCall<NodeMessage, ServerMessage> _call;
    private readonly Channel<NodeMessage> _outbound = Channel.CreateUnbounded<NodeMessage>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<string, SimulatedNode> _nodes;
    private readonly TaskCompletionSource _attached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly INodeScript _script;
    private readonly Task _running;
    private int _welcomed;
    private volatile bool _ending;

    public SimulatedStream(NodeLink.NodeLinkClient client, IReadOnlyList<SimulatedNode> nodes, INodeScript script)
    {
        (Nodes, _script) = (nodes, script);
        _nodes = nodes.ToDictionary(node => node.WireId, StringComparer.Ordinal);
        _call = client.Attach();
        _running = Task.WhenAll(WriteAsync(), ReadAsync());
        foreach (var node in nodes)
        {
            Send(node, new NodeMessage
            {
                Hello = new Hello { PublicKey = ByteString.CopyFrom(node.PublicKey), DaemonVersion = "simulated", BootEpoch = 1 },
            });
        }
    }

    public IReadOnlyList<SimulatedNode> Nodes { get; }

    /// <summary>Completes when every node was welcomed.</summary>
    public Task Attached => _attached.Task;

    public void Send(SimulatedNode node, NodeMessage message)
    {
        message.NodeId = node.WireId;
        _outbound.Writer.TryWrite(message);
    }

    /// <summary>Sends a message that names its nodes itself.</summary>
    public void Send(NodeMessage message) => _outbound.Writer.TryWrite(message);

    /// <summary>One message that lets the server hear every node of the stream.</summary>
    public void SendHeartbeats(IEnumerable<SimulatedNode> nodes)
    {
        var batch = new HeartbeatBatch();
        foreach (var node in nodes)
            batch.NodeIds.Add(UnsafeByteOperations.UnsafeWrap(node.Id.Value.ToByteArray(bigEndian: true)));
        Send(new NodeMessage { Heartbeats = batch });
    }

    public async ValueTask DisposeAsync()
    {
        _ending = true;
        _outbound.Writer.TryComplete();
        _call.Dispose();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task WriteAsync()
    {
        await foreach (var message in _outbound.Reader.ReadAllAsync())
            await _call.RequestStream.WriteAsync(message);
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _call.ResponseStream.MoveNext(CancellationToken.None))
                Receive(_call.ResponseStream.Current);
            throw new InvalidOperationException("The server ended a stream of simulated daemons.");
        }
        catch (Exception error)
        {
            _attached.TrySetException(error);
            if (!_ending)
                Console.Error.WriteLine($"A stream of simulated daemons broke: {error.Message}");
        }
    }

    private void Receive(ServerMessage message)
    {
        var node = _nodes[message.NodeId];
        switch (message.BodyCase)
        {
            case ServerMessage.BodyOneofCase.Challenge:
                var signature = node.SignProof(message.Challenge.Nonce.Span);
                Send(node, new NodeMessage { Proof = new Proof { Signature = ByteString.CopyFrom(signature) } });
                break;
            case ServerMessage.BodyOneofCase.Welcome:
                if (++_welcomed == Nodes.Count)
                    _attached.TrySetResult();
                break;
            case ServerMessage.BodyOneofCase.Refused:
                _attached.TrySetException(new InvalidOperationException($"{node.Name} was refused: {message.Refused.Message}"));
                break;
            default:
                _script.Received(this, node, message);
                break;
        }
    }
}
