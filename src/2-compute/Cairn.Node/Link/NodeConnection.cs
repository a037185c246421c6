using System.Threading.Channels;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Wire;
using Cairn.Node.Identity;
using Grpc.Core;

namespace Cairn.Node.Link;

/// <summary>
/// One attached node on a stream of its own, after a successful handshake. Simulated daemons use it as the real one does.
/// </summary>
public sealed class NodeConnection : IDisposable
{
    private readonly AsyncDuplexStreamingCall<NodeMessage, ServerMessage> _call;
    private readonly string _nodeId;
    private readonly Channel<NodeMessage> _outbound = Channel.CreateUnbounded<NodeMessage>(new UnboundedChannelOptions { SingleReader = true });
    private volatile bool _closed;

    private NodeConnection(AsyncDuplexStreamingCall<NodeMessage, ServerMessage> call, string nodeId) => (_call, _nodeId) = (call, nodeId);

    /// <summary>What the server said at the end of the handshake.</summary>
    public Welcome Welcome { get; private set; } = new();

    /// <summary>
    /// Opens the stream and proves who the node is: Hello → Challenge → Proof → Welcome.
    /// </summary>
    /// <returns>The connection, or the server's refusal: the node was removed or its key is unknown.</returns>
    /// <exception cref="RpcException">The server cannot be reached, or the stream broke.</exception>
    public static async Task<(NodeConnection? Connection, Refused? Refused)> OpenAsync(
        NodeLink.NodeLinkClient client, NodeIdentity identity, NodeId nodeId, Hello hello, CancellationToken cancellationToken)
    {
        var connection = new NodeConnection(client.Attach(cancellationToken: cancellationToken), nodeId.ToString());
        try
        {
            hello.PublicKey = Google.Protobuf.ByteString.CopyFrom(identity.PublicKey);
            await connection.WriteAsync(new NodeMessage { Hello = hello }, cancellationToken);
            var challenge = await connection.ReadAsync(cancellationToken);
            if (challenge.BodyCase == ServerMessage.BodyOneofCase.Challenge)
            {
                var signature = identity.SignProof(challenge.Challenge.Nonce.Span, nodeId);
                await connection.WriteAsync(new NodeMessage { Proof = new Proof { Signature = Google.Protobuf.ByteString.CopyFrom(signature) } },
                    cancellationToken);
            }
            var welcome = challenge.BodyCase == ServerMessage.BodyOneofCase.Challenge ? await connection.ReadAsync(cancellationToken) : challenge;
            if (welcome.BodyCase == ServerMessage.BodyOneofCase.Welcome)
            {
                connection.Welcome = welcome.Welcome;
                return (connection, null);
            }
            connection.Dispose();
            return welcome.BodyCase == ServerMessage.BodyOneofCase.Refused
                ? (null, welcome.Refused)
                : throw new RpcException(new Status(StatusCode.Internal, $"the server answered the handshake with {welcome.BodyCase}"));
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Queues a message; the node's id is filled in. False where the stream has ended.</summary>
    public bool Send(NodeMessage message)
    {
        message.NodeId = _nodeId;
        return !_closed && _outbound.Writer.TryWrite(message);
    }

    /// <summary>
    /// Writes what is queued and hands every message of the server to <paramref name="received"/>, until either side ends the stream.
    /// </summary>
    /// <exception cref="RpcException">The stream broke.</exception>
    public async Task RunAsync(Action<ServerMessage> received, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var writing = WriteQueuedAsync(either.Token);
        var reading = ReadAllAsync(received, either.Token);
        try
        {
            await await Task.WhenAny(writing, reading);
        }
        finally
        {
            _closed = true;
            _outbound.Writer.TryComplete();
            await either.CancelAsync();
            _call.Dispose();
            await Task.WhenAll(writing, reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose()
    {
        _closed = true;
        _outbound.Writer.TryComplete();
        _call.Dispose();
    }

    private async Task WriteQueuedAsync(CancellationToken cancellationToken)
    {
        await foreach (var message in _outbound.Reader.ReadAllAsync(cancellationToken))
            await _call.RequestStream.WriteAsync(message, cancellationToken);
    }

    private async Task ReadAllAsync(Action<ServerMessage> received, CancellationToken cancellationToken)
    {
        while (await _call.ResponseStream.MoveNext(cancellationToken))
            received(_call.ResponseStream.Current);
    }

    private Task WriteAsync(NodeMessage message, CancellationToken cancellationToken)
    {
        message.NodeId = _nodeId;
        return _call.RequestStream.WriteAsync(message, cancellationToken);
    }

    private async Task<ServerMessage> ReadAsync(CancellationToken cancellationToken) =>
        await _call.ResponseStream.MoveNext(cancellationToken)
            ? _call.ResponseStream.Current
            : throw new RpcException(new Status(StatusCode.Unavailable, "the server ended the stream during the handshake"));
}
