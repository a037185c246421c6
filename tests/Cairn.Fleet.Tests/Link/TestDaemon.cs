using Cairn.Contracts.Ids;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Link;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using NSec.Cryptography;

namespace Cairn.Fleet.Tests.Link;

/// <summary>A node's key and name, as a daemon holds them.</summary>
internal sealed class TestNode : IDisposable
{
    public Key Key { get; } = Key.Create(SignatureAlgorithm.Ed25519);

    public NodeId Id { get; private set; }

    public string Name { get; private set; } = "";

    public ByteString PublicKey => ByteString.CopyFrom(Key.PublicKey.Export(KeyBlobFormat.RawPublicKey));

    public static JoinRequest Request(string token, ByteString publicKey, string name = "worker") => new()
    {
        Token = token,
        PublicKey = publicKey,
        DaemonVersion = "test",
        Declaration = new Declaration { Name = name, Pool = "lab", Region = "here" },
        Inventory = new Inventory { Hostname = "host", Architecture = "x64", Cpus = 8, MemoryBytes = 32L << 30, DiskBytes = 100L << 30 },
    };

    public static async Task<TestNode> JoinAsync(GrpcChannel channel, string token, string name = "worker")
    {
        var node = new TestNode();
        var reply = await new NodeLink.NodeLinkClient(channel).JoinAsync(Request(token, node.PublicKey, name));
        node.Id = TypedId.Parse<NodeId>(reply.NodeId);
        node.Name = reply.Name;
        return node;
    }

    public Proof Sign(ByteString nonce) => new()
    {
        Signature = ByteString.CopyFrom(SignatureAlgorithm.Ed25519.Sign(Key, NodeProof.Message(nonce.Span, Id.Value))),
    };

    public void Dispose() => Key.Dispose();
}

/// <summary>The daemon's end of an attach stream.</summary>
internal sealed class TestStream : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);
    private readonly AsyncDuplexStreamingCall<NodeMessage, ServerMessage> _call;

    public TestStream(GrpcChannel channel) => _call = new NodeLink.NodeLinkClient(channel).Attach();

    /// <summary>From the last welcome.</summary>
    public ByteString Session { get; private set; } = ByteString.Empty;

    public Task SendAsync(TestNode node, NodeMessage message)
    {
        message.NodeId = node.Id.ToString();
        return _call.RequestStream.WriteAsync(message);
    }

    public Task HelloAsync(TestNode node, long bootEpoch = 1) =>
        SendAsync(node, new NodeMessage { Hello = new Hello { PublicKey = node.PublicKey, BootEpoch = bootEpoch,
            DaemonVersion = "test" } });

    /// <summary>The next message; an ended stream throws.</summary>
    public async Task<ServerMessage> NextAsync()
    {
        using var patience = new CancellationTokenSource(s_patience);
        return await _call.ResponseStream.MoveNext(patience.Token)
            ? _call.ResponseStream.Current
            : throw new EndOfStreamException("the server has ended the stream");
    }

    /// <summary>Hello, proof, and on to the welcome.</summary>
    public async Task<Welcome> AttachAsync(TestNode node, long bootEpoch = 1)
    {
        await HelloAsync(node, bootEpoch);
        var challenge = await NextAsync();
        Assert.Equal(ServerMessage.BodyOneofCase.Challenge, challenge.BodyCase);
        await SendAsync(node, new NodeMessage { Proof = node.Sign(challenge.Challenge.Nonce) });
        var welcome = await NextAsync();
        Assert.Equal(ServerMessage.BodyOneofCase.Welcome, welcome.BodyCase);
        Session = welcome.Welcome.Session;
        return welcome.Welcome;
    }

    /// <summary>The status with which the server ended the stream, after whatever it still sent.</summary>
    public async Task<StatusCode> EndAsync()
    {
        try
        {
            while (true)
                await NextAsync();
        }
        catch (RpcException error)
        {
            return error.StatusCode;
        }
        catch (EndOfStreamException)
        {
            return _call.GetStatus().StatusCode;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _call.RequestStream.CompleteAsync();
        }
        catch (Exception error) when (error is RpcException or InvalidOperationException or IOException)
        {
            // The server was faster.
        }
        _call.Dispose();
    }
}

internal static class Eventually
{
    /// <summary>Waits on a condition, and fails when it does not come.</summary>
    public static async Task HoldsAsync(Func<bool> condition, string what)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!condition())
        {
            Assert.False(patience.IsCancellationRequested, "did not come: " + what);
            await Task.Delay(5, CancellationToken.None);
        }
    }
}
