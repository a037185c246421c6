using System.Diagnostics;
using System.Threading.Channels;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Nodes;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using NSec.Cryptography;

namespace Cairn.Fleet.Tests.Link;

/// <summary>
/// Forty thousand simulated daemons over real sockets and TLS, each with its own key and session, eight streams standing for them. The
/// figures are of this one process, which plays the daemons too.
/// </summary>
[Trait("speed", "slow")]
public sealed class Forty_thousand_nodes_are_idle
{
    private const int Nodes = 40_000;
    private const int Streams = 8;
    private const int HeartbeatSeconds = 10;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Their_heartbeats_cost_a_fraction_of_a_core(bool inBatches)
    {
        await using var server = await LinkServer.StartAsync();
        var started = Stopwatch.GetTimestamp();
        var nodes = await EnrolAsync(server);
        Say($"{Nodes} rows written in {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s");
        started = Stopwatch.GetTimestamp();
        await server.RestartAsync();
        Say($"server started over them in {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s");
        Assert.Equal(Nodes, server.Get<FleetNodes>().Count);

        var channels = Enumerable.Range(0, Streams).Select(_ => server.Connect()).ToArray();
        started = Stopwatch.GetTimestamp();
        var streams = await Task.WhenAll(nodes.Chunk(Nodes / Streams).Select((share, i) => ManyNodes.AttachAsync(channels[i], share)));
        Say($"all attached in {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s");
        Assert.Equal(Nodes, server.Get<FleetNodes>().All.Count(node => node.Connected));
        Assert.Single(server.Get<NodeOffers>().Current().Offers);

        using var over = new CancellationTokenSource();
        var beating = Task.WhenAll(streams.Select(stream => stream.BeatAsync(HeartbeatSeconds, inBatches, over.Token)));
        await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
        using var process = Process.GetCurrentProcess();
        var (cpu, since) = (process.TotalProcessorTime, Stopwatch.GetTimestamp());
        await Task.Delay(TimeSpan.FromSeconds(HeartbeatSeconds), TestContext.Current.CancellationToken);
        process.Refresh();
        var cores = (process.TotalProcessorTime - cpu) / Stopwatch.GetElapsedTime(since);
        var how = inBatches ? "in batches" : "one by one";
        Say($"{how}: {cores:P1} of a core, {process.WorkingSet64 >> 20} MB resident, daemons included");
        await Eventually.HoldsAsync(() => server.Get<FleetNodes>().All.All(node => node.TakesWork), "all are healthy");
        await over.CancelAsync();
        await beating.ContinueWith(_ => { }, TaskScheduler.Default);

        Assert.True(cores < 0.33, $"{cores:P0} of a core");
        Assert.True(process.WorkingSet64 < 2L << 30);
        foreach (var channel in channels)
            channel.Dispose();
    }

    private static async Task<(NodeId Id, Seed Seed)[]> EnrolAsync(LinkServer server)
    {
        var declaration = NodeRows.Json(new Declaration { Pool = "sim", Simulated = true, Region = "r" });
        var inventory = NodeRows.Json(TestInventory());
        var now = server.Time.GetUtcNow();
        var nodes = new (NodeId Id, Seed Seed)[Nodes];
        foreach (var share in Enumerable.Range(0, Nodes).Chunk(2_000))
        {
            var rows = share.Select(i =>
            {
                nodes[i] = (NodeId.New(now), new Seed(i));
                return new NodeRow
                {
                    Id = nodes[i].Id, Name = $"sim-{i}", PublicKey = NodeRows.KeyText(nodes[i].Seed.PublicKey()),
                    Declaration = declaration, Inventory = inventory, Phase = NodePhase.Active, JoinedAt = now,
                };
            }).ToArray();
            await server.Store.WriteAsync(session =>
                Array.ForEach(rows, row => NodeRows.Insert(session, row, JoinTokenId.New(now))), CancellationToken.None);
        }
        return nodes;
    }

    private static Inventory TestInventory()
    {
        var found = new Inventory { Hostname = "sim", Architecture = "x64", CpuModel = "simulated", Cpus = 192, MemoryBytes = 2L << 40,
            DiskBytes = 30L << 40 };
        found.CpuFeatures.Add(Enumerable.Range(0, 80).Select(i => $"feature{i}"));
        for (var i = 0; i < 8; i++)
            found.Devices.Add(new Device { Index = i, Name = "H100-SXM-80GB", Vendor = "nvidia", MemoryBytes = 80L << 30,
                Simulated = true });
        return found;
    }

    private static void Say(string text) => TestContext.Current.SendDiagnosticMessage(text);

    /// <summary>
    /// A node's key as its seed: libsodium guards each open key with memory mappings, and a process may not have so many.
    /// </summary>
    private readonly record struct Seed(int Number)
    {
        public byte[] PublicKey()
        {
            using var key = Open();
            return key.PublicKey.Export(KeyBlobFormat.RawPublicKey);
        }

        public byte[] Sign(byte[] message)
        {
            using var key = Open();
            return SignatureAlgorithm.Ed25519.Sign(key, message);
        }

        private Key Open() => Key.Import(
            SignatureAlgorithm.Ed25519, System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(Number)),
                KeyBlobFormat.RawPrivateKey);
    }

    /// <summary>The daemons of one stream.</summary>
    private sealed class ManyNodes
    {
        private readonly AsyncDuplexStreamingCall<NodeMessage, ServerMessage> _call;
        private readonly (NodeId Id, Seed Seed)[] _nodes;

        private ManyNodes(GrpcChannel channel, (NodeId Id, Seed Seed)[] nodes) =>
            (_call, _nodes) = (new NodeLink.NodeLinkClient(channel).Attach(), nodes);

        public static async Task<ManyNodes> AttachAsync(GrpcChannel channel, (NodeId Id, Seed Seed)[] nodes)
        {
            var many = new ManyNodes(channel, nodes);
            var proofs = Channel.CreateUnbounded<NodeMessage>();
            var writing = many.WriteAsync(proofs.Reader);
            await many.ProveAllAsync(proofs.Writer);
            proofs.Writer.Complete();
            await writing;
            return many;
        }

        public async Task BeatAsync(int seconds, bool inBatches, CancellationToken cancellationToken)
        {
            var reading = ReadAsync(cancellationToken);
            var messages = _nodes.Chunk(100).Select(share => share.Select(node => node.Id)).Select(ids => inBatches
                ? [new NodeMessage { Heartbeats = new HeartbeatBatch { NodeIds = { ids.Select(id =>
                    ByteString.CopyFrom(id.Value.ToByteArray(bigEndian: true))) } } }]
                : ids.Select(id => new NodeMessage { NodeId = id.ToString(),
                    Heartbeat = new Heartbeat { CpuBusy = 0.1, DiskFreeBytes = 1L << 40 } }).ToArray()).ToArray();
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds((double)seconds / messages.Length));
            for (var i = 0; await timer.WaitForNextTickAsync(cancellationToken); i++)
            {
                foreach (var message in messages[i % messages.Length])
                    await _call.RequestStream.WriteAsync(message, cancellationToken);
            }
            await reading;
        }

        private async Task WriteAsync(ChannelReader<NodeMessage> proofs)
        {
            foreach (var (id, seed) in _nodes)
            {
                var hello = new Hello { PublicKey = ByteString.CopyFrom(seed.PublicKey()), BootEpoch = 1 };
                await _call.RequestStream.WriteAsync(new NodeMessage { NodeId = id.ToString(), Hello = hello });
                while (proofs.TryRead(out var proof))
                    await _call.RequestStream.WriteAsync(proof);
            }
            await foreach (var proof in proofs.ReadAllAsync())
                await _call.RequestStream.WriteAsync(proof);
        }

        private async Task ProveAllAsync(ChannelWriter<NodeMessage> proofs)
        {
            var keys = _nodes.ToDictionary(node => node.Id.ToString(), node => node);
            for (var welcome = 0; welcome < _nodes.Length;)
            {
                Assert.True(await _call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
                var message = _call.ResponseStream.Current;
                if (message.BodyCase == ServerMessage.BodyOneofCase.Welcome)
                {
                    welcome++;
                    continue;
                }
                var (id, seed) = keys[message.NodeId];
                var signature = seed.Sign(Cairn.Fleet.Link.NodeProof.Message(message.Challenge.Nonce.Span, id.Value));
                proofs.TryWrite(new NodeMessage { NodeId = message.NodeId,
                    Proof = new Proof { Signature = ByteString.CopyFrom(signature) } });
            }
        }

        private async Task ReadAsync(CancellationToken cancellationToken)
        {
            while (await _call.ResponseStream.MoveNext(cancellationToken))
            {
                // Acknowledgements need no answer.
            }
        }
    }
}
