using System.Security.Cryptography.X509Certificates;
using Cairn.Bench.Servers;
using Cairn.Contracts.Wire;
using Cairn.Node.Link;
using Google.Protobuf;
using Grpc.Net.Client;

namespace Cairn.Bench.Simulated;

/// <summary>
/// Node daemons without machines: each has its own Ed25519 key, joins with the token and proves its key as a real daemon does, over real gRPC and TLS.
/// A stream stands for many of them, which the protocol allows, so that the generator of the load does not take the cores from the server.
/// </summary>
internal sealed class SimulatedDaemons : IAsyncDisposable
{
    private const int JoinsAtOnce = 128;
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);

    private readonly List<GrpcChannel> _channels = [];
    private readonly List<SimulatedStream> _streams = [];
    private readonly PeriodicTimer _beats = new(TimeSpan.FromSeconds(10));
    private Task? _beating;

    private SimulatedDaemons()
    {
    }

    public IReadOnlyList<SimulatedStream> Streams => _streams;

    public int Count => _streams.Sum(stream => stream.Nodes.Count);

    /// <summary>Joins and attaches so many nodes, spread over so many streams, each on a connection of its own.</summary>
    public static async Task<SimulatedDaemons> StartAsync(ServerProcess server, string token, int nodes, int streams, INodeScript script)
    {
        if (!JoinToken.TryDecode(token, out var decoded))
            throw new ArgumentException("The join token is not one.", nameof(token));
        using var authority = await NodeChannel.FindAuthorityAsync(server.Grpc, decoded.AuthoritySha256, CancellationToken.None)
            ?? throw new InvalidOperationException("The server's CA is not the one of the token.");
        var daemons = new SimulatedDaemons();
        var joined = await JoinAllAsync(server.Grpc, authority, token, nodes);
        foreach (var part in joined.Chunk((nodes + streams - 1) / streams))
        {
            var channel = NodeChannel.Open(server.Grpc, authority);
            daemons._channels.Add(channel);
            daemons._streams.Add(new SimulatedStream(new NodeLink.NodeLinkClient(channel), part, script));
        }

        await Task.WhenAll(daemons._streams.Select(stream => stream.Attached)).WaitAsync(s_patience);
        return daemons;
    }

    /// <summary>From now on the server hears every node every ten seconds.</summary>
    public void KeepBeating() => _beating ??= BeatAsync();

    public async ValueTask DisposeAsync()
    {
        _beats.Dispose();
        if (_beating is not null)
            await _beating;
        foreach (var stream in _streams)
            await stream.DisposeAsync();
        foreach (var channel in _channels)
            channel.Dispose();
    }

    private async Task BeatAsync()
    {
        while (await _beats.WaitForNextTickAsync())
        {
            foreach (var stream in _streams)
                stream.SendHeartbeats(stream.Nodes);
        }
    }

    private static async Task<SimulatedNode[]> JoinAllAsync(string server, X509Certificate2 authority, string token, int count)
    {
        using var channel = NodeChannel.Open(server, authority);
        var client = new NodeLink.NodeLinkClient(channel);
        var nodes = new SimulatedNode[count];
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = JoinsAtOnce }, async (i, cancellation) =>
        {
            var node = SimulatedNode.Create();
            var request = Request(i, token);
            request.PublicKey = ByteString.CopyFrom(node.PublicKey);
            var reply = await client.JoinAsync(request, cancellationToken: cancellation);
            node.Joined(reply.NodeId, reply.Name);
            nodes[i] = node;
        });
        return nodes;
    }

    private static JoinRequest Request(int number, string token) => new()
    {
        Token = token,
        DaemonVersion = "simulated",
        Declaration = new Declaration
        {
            Name = $"simulated-{number:D5}",
            Pool = "simulated",
            Provider = "simulated",
            DeploymentModel = "on_premises",
            Region = "simulated",
            Country = "DE",
            // A task takes a sixteenth of it, which costs 2 micro-dollars a millisecond: even a short one costs something, so real postings are made.
            PriceMicrosPerHour = 115_200_000,
            AvailabilityPercent = 99,
            Simulated = true,
        },
        Inventory = new Inventory
        {
            Hostname = $"simulated-{number:D5}",
            OperatingSystem = "Linux",
            Architecture = "x64",
            CpuModel = "simulated",
            Cpus = 16,
            MemoryBytes = 64L << 30,
            DiskBytes = 512L << 30,
            Address = "127.0.0.1",
        },
    };
}

/// <summary>What simulated daemons do once they are attached. Called by the readers of all streams, each for its own nodes.</summary>
internal interface INodeScript
{
    void Received(SimulatedStream stream, SimulatedNode node, ServerMessage message);
}
